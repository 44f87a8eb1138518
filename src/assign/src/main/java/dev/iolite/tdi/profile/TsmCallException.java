package dev.iolite.tdi.profile;

import dev.iolite.kernel.KernelException;
import dev.iolite.tsm.Profile;
import java.util.List;
import java.util.OptionalLong;

/**
 * A call to the TSM that failed: which operation of which proposal, what the kernel said (the
 * cause), what the TSM said, if the call returns that, and what it means for the interface.
 */
public final class TsmCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Profile profile;
  private final TsmOperation operation;
  private final KernelException kernel;
  private final Outcome outcome;
  private final boolean hasCode;
  private final long code;

  TsmCallException(
      Profile profile,
      TsmOperation operation,
      KernelException kernel,
      Outcome outcome,
      OptionalLong tsmCode) {
    this(profile, operation, kernel, outcome, tsmCode, "");
  }

  private TsmCallException(
      Profile profile,
      TsmOperation operation,
      KernelException kernel,
      Outcome outcome,
      OptionalLong tsmCode,
      String log) {
    super(
        "%s (UAPI profile %s): %s. State of the interface: %s%s%s"
            .formatted(
                operation,
                profile,
                kernel.getMessage(),
                outcome,
                tsmCode.isPresent()
                    ? "; the TSM's code is 0x" + Long.toHexString(tsmCode.getAsLong())
                    : "",
                log),
        kernel);
    this.profile = profile;
    this.operation = operation;
    this.kernel = kernel;
    this.outcome = outcome;
    this.hasCode = tsmCode.isPresent();
    this.code = tsmCode.orElse(0);
  }

  /**
   * The same exception, with the lines that the TSM's driver wrote to the kernel's log during the
   * call: the errno says that the TSM refuses, and these lines say why.
   */
  TsmCallException explained(List<String> lines) {
    var explained =
        new TsmCallException(
            profile,
            operation,
            kernel,
            outcome,
            tsmCode(),
            ". The kernel's log says: " + String.join("; ", lines));
    for (Throwable suppressed : getSuppressed()) {
      explained.addSuppressed(suppressed);
    }
    return explained;
  }

  /** The profile that was used. */
  public Profile profile() {
    return profile;
  }

  /** What was tried. */
  public TsmOperation operation() {
    return operation;
  }

  /** What the kernel said. */
  public KernelException kernel() {
    return kernel;
  }

  /** {@link Outcome#NOT_DONE} or {@link Outcome#MAYBE_DONE}. */
  public Outcome outcome() {
    return outcome;
  }

  /** The TSM's own code; empty if the call carries none, or it is 0. */
  public OptionalLong tsmCode() {
    return hasCode ? OptionalLong.of(code) : OptionalLong.empty();
  }
}
