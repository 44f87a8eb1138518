package dev.iolite.mock.pci;

/** The value of reads that nothing answers. */
public final class Ones {
  private Ones() {}

  /** This many bytes of ones, zero-extended. */
  public static long of(int bytes) {
    return bytes == Long.BYTES ? -1 : (1L << (bytes * Byte.SIZE)) - 1;
  }
}
