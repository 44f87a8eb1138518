package dev.iolite.mock.device;

/**
 * The MSI capability, with 64-bit addresses and without mask bits.
 *
 * @param vectors how many the device can send: 1, 2, 4, 8, 16 or 32
 */
public record Msi(int vectors) {
  private static final int MOST = 32;

  /** Checks the number. */
  public Msi {
    if (vectors < 1 || vectors > MOST || Integer.bitCount(vectors) != 1) {
      throw new IllegalArgumentException("MSI has 1, 2, 4, 8, 16 or 32 vectors, not " + vectors);
    }
  }
}
