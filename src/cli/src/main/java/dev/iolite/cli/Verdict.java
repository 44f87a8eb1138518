package dev.iolite.cli;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import java.util.Optional;

/**
 * The result of verifying a signature.
 *
 * @param verified whether it is that of a trusted device
 * @param text what a person reads
 * @param failure why it is not, if somebody is trusted
 */
public record Verdict(boolean verified, String text, Optional<RuntimeException> failure) {
  /**
   * Verifies, if somebody is trusted.
   *
   * @param nonce what the device was asked with, if that is known
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

  /** What a program finds beside the table's words: why it is not, in full. */
  public String words() {
    return failure.map(Remedies::message).orElse(text);
  }

  /** Fails if somebody is trusted, and it is not theirs. */
  public void require() {
    if (failure.isPresent()) {
      throw failure.get();
    }
  }
}
