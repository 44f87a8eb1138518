package dev.iolite.mock.pci;

/** The value of reads that nothing answers. */
public final class Ones {
  private Ones() {}

  /** As many bytes of all ones, zero-extended. */
  public static long of(int bytes) {
    return bytes == Long.BYTES ? -1 : (1L << (bytes * Byte.SIZE)) - 1;
  }
}
