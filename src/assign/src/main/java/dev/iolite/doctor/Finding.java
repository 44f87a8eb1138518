package dev.iolite.doctor;

import dev.iolite.kernel.Advice;

/**
 * The result of a check.
 *
 * @param check what was looked at
 * @param status how it stands
 * @param observed what was seen
 * @param advice why it matters or why it is so, and what to do about it; empty words if all is well
 */
public record Finding(String check, Status status, String observed, Advice advice) {

  /** How it stands. */
  public enum Status {
    /** It is there and works. */
    OK,
    /** It is not there; assignment works without it, with less. */
    OPTIONAL,
    /** It is not there, and assignment can't work without it. */
    MISSING
  }

  /** It is there and works. */
  static Finding ok(String check, String observed) {
    return new Finding(check, Status.OK, observed, new Advice("", ""));
  }

  /** It is not there, and can be done without. */
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
