package dev.iolite.cli;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import java.util.Optional;

/**
 * The result of verifying a signature.
 *
 * @param verified whether the signature is a trusted device's
 * @param text the result for people
 * @param failure why it is not, if any device is trusted
 */
public record Verdict(boolean verified, String text, Optional<RuntimeException> failure) {
  /**
   * Verifies the signature, if any device is trusted.
   *
   * @param nonce the nonce of the request to the device, if it is known
   */
  public static Verdict of(Optional<Trust> trust, Evidence evidence, Optional<byte[]> nonce) {
    if (trust.isEmpty()) {
      boolean isSigned = evidence.measurements().signature().isPresent();
      return new Verdict(
          false,
          isSigned
              ? "no: nobody is trusted (--trust)"
              : "no: there is no signature, and anybody may have written this",
          Optional.empty());
    }
    try {
      return new Verdict(true, trust.get().verify(evidence, nonce).toString(), Optional.empty());
    } catch (UntrustedEvidenceException | PreconditionException e) {
      return new Verdict(
          false, "no: that the trusted device made this is not proved", Optional.of(e));
    }
  }

  /** The text for programs: the table's words, and in full why it is not verified. */
  public String words() {
    return failure.map(Remedies::message).orElse(text);
  }

  /** Throws the failure if there is one: a device is trusted, but the signature is not verified. */
  public void require() {
    if (failure.isPresent()) {
      throw failure.get();
    }
  }
}
