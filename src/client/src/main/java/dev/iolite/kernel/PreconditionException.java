package dev.iolite.kernel;

/**
 * An operation that the state of the machine does not allow, detected without a failed system call.
 * It says what was tried, what was seen, the usual cause and the next step.
 */
public final class PreconditionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String tried;
  private final String observed;
  private final transient Advice advice;

  /**
   * Describes what is missing. The parts become one message, so they have no full stop at the end.
   *
   * @param tried what was tried, on what
   * @param observed what was seen instead of what is needed
   * @param cause the usual cause
   * @param next the next step, a command where there is one
   */
  public PreconditionException(String tried, String observed, String cause, String next) {
    this(tried, observed, new Advice(cause, next));
  }

  /**
   * Describes what is missing. The parts become one message, so they have no full stop at the end.
   *
   * @param tried what was tried, on what
   * @param observed what was seen instead of what is needed
   * @param advice the usual cause and the next step
   */
  public PreconditionException(String tried, String observed, Advice advice) {
    super(
        tried + ": " + observed + ". Usual cause: " + advice.cause() + ". Next: " + advice.next());
    this.tried = tried;
    this.observed = observed;
    this.advice = advice;
  }

  /** What was tried, on what. */
  public String tried() {
    return tried;
  }

  /** What was seen instead of what is needed. */
  public String observed() {
    return observed;
  }

  /** The usual cause and the next step. */
  public Advice advice() {
    return advice;
  }
}
