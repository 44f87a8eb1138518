package dev.iolite.tdi.evidence;

/** An SPDM message that requests or returns measurements and breaks a rule of its format. */
public final class MalformedMeasurementsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long at;

  /**
   * Says what is wrong.
   *
   * @param message which message it is
   * @param at the offset of what is wrong, in bytes from the start of all messages
   * @param found what is there
   * @param allowed what may be there
   */
  MalformedMeasurementsException(String message, long at, String found, String allowed) {
    super("%s message, byte %d: %s; %s".formatted(message, at, found, allowed));
    this.at = at;
  }

  /** The offset of what is wrong, in bytes from the start of all messages. */
  public long at() {
    return at;
  }
}
