package dev.iolite.vfio;

/**
 * A part of a region.
 *
 * @param offset its start, in bytes from the start of the region, unsigned
 * @param bytes its length in bytes, unsigned
 */
public record ByteRange(long offset, long bytes) {
  @Override
  public String toString() {
    return "0x" + Long.toHexString(offset) + "+0x" + Long.toHexString(bytes);
  }
}
