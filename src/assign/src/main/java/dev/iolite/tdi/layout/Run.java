package dev.iolite.tdi.layout;

/**
 * A part of a BAR that is all of one kind.
 *
 * @param offset its start, in bytes from the start of the BAR
 * @param bytes its length in bytes, more than 0
 * @param kind what it is
 */
public record Run(long offset, long bytes, Kind kind) {
  /** The first offset after it. */
  public long end() {
    return offset + bytes;
  }

  /** For example {@code private 0x2000+0x1000}. */
  @Override
  public String toString() {
    return "%s 0x%x+0x%x".formatted(kind, offset, bytes);
  }
}
