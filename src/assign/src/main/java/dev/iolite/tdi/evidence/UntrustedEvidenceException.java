package dev.iolite.tdi.evidence;

/** Measurements that are not proved to come from the trusted device. */
public final class UntrustedEvidenceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what is not in order. The parts become one message, so they have no full stop at the end.
   *
   * @param observed what was tried, and seen
   * @param means what it means, and what to do
   */
  UntrustedEvidenceException(String observed, String means) {
    super("verify the signature of the measurements: " + observed + ". That means: " + means);
  }
}
