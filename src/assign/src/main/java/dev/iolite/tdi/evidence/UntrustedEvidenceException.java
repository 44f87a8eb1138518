package dev.iolite.tdi.evidence;

/** Measurements that are not proved to come from the trusted device. */
public final class UntrustedEvidenceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what is wrong. The parts become one message, so they have no full stop at the end.
   *
   * @param observed what was tried, and what was seen
   * @param means what that means, and what to do
   */
  UntrustedEvidenceException(String observed, String means) {
    super("verify the signature of the measurements: " + observed + ". That means: " + means);
  }
}
