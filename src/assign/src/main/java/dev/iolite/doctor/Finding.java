package dev.iolite.doctor;

import dev.iolite.kernel.Advice;

/**
 * The result of a check.
 *
 * @param check what was checked
 * @param status the result
 * @param observed what was seen
 * @param advice why it matters or why it is so, and what to do about it; empty texts if all is well
 */
public record Finding(String check, Status status, String observed, Advice advice) {

  /** The status of what was checked. */
  public enum Status {
    /** It exists and works. */
    OK,
    /** It is missing; assignment works without it, with restrictions. */
    OPTIONAL,
    /** It is missing, and assignment cannot work without it. */
    MISSING
  }

  /** It exists and works. */
  static Finding ok(String check, String observed) {
    return new Finding(check, Status.OK, observed, new Advice("", ""));
  }

  /** It is missing, and assignment can do without it. */
  static Finding optional(String check, String observed, Advice advice) {
    return new Finding(check, Status.OPTIONAL, observed, advice);
  }

  /** Why it matters, or why it is so; empty if all is well. */
  public String why() {
    return advice.cause();
  }

  /** What to do about it; empty if there is nothing to do. */
  public String next() {
    return advice.next();
  }
}
