package dev.iolite.doctor;

import dev.iolite.kernel.Advice;
import java.util.List;
import java.util.Optional;

/**
 * The result of a check.
 *
 * @param check what was checked
 * @param status the result
 * @param observed what was seen
 * @param code the code of what is missing; empty if all is well, and only then
 * @param advice why it matters or why it is so, and what to do about it; empty texts if all is well
 */
public record Finding(
    String check, Status status, String observed, Optional<FindingCode> code, Advice advice) {

  /** The status of what was checked. */
  public enum Status {
    /** It exists and works. */
    OK,
    /** It is missing; assignment works without it, with restrictions. */
    OPTIONAL,
    /** It is missing, and assignment cannot work without it. */
    MISSING
  }

  /** Makes sure that there is a code for what is missing. */
  public Finding {
    if (code.isPresent() == (status == Status.OK)) {
      throw new IllegalArgumentException(check + " is " + status + ", and its code is " + code);
    }
  }

  /** It exists and works. */
  static Finding ok(String check, String observed) {
    return new Finding(check, Status.OK, observed, Optional.empty(), new Advice("", ""));
  }

  /** It is missing, and assignment can do without it. */
  static Finding optional(String check, String observed, FindingCode code, Advice advice) {
    return new Finding(check, Status.OPTIONAL, observed, Optional.of(code), advice);
  }

  /** Whether nothing is missing that an assignment cannot work without. */
  public static boolean isReady(List<Finding> findings) {
    return findings.stream().noneMatch(finding -> finding.status() == Status.MISSING);
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
