package dev.iolite.tdi.layout;

/** A device interface report that breaks a rule of its format, or does not fit its device. */
public final class MalformedReportException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long at;

  /**
   * Says what is wrong.
   *
   * @param at the offset in the report of what is wrong, in bytes
   * @param found what is there
   * @param allowed what may be there
   */
  MalformedReportException(long at, String found, String allowed) {
    super("device interface report, byte %d: %s; %s".formatted(at, found, allowed));
    this.at = at;
  }

  /** The offset in the report of what is wrong, in bytes. */
  public long at() {
    return at;
  }
}
