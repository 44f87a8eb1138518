package dev.iolite.tdi.evidence;

/** A MEASUREMENTS message that breaks a rule of its format. */
public final class MalformedMeasurementsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long at;

  /**
   * Says what is wrong.
   *
   * @param at the offset in the message of what is wrong, in bytes
   * @param found what is there
   * @param allowed what may be there
   */
  MalformedMeasurementsException(long at, String found, String allowed) {
    super("MEASUREMENTS message, byte %d: %s; %s".formatted(at, found, allowed));
    this.at = at;
  }

  /** The offset in the message of what is wrong, in bytes. */
  public long at() {
    return at;
  }
}
