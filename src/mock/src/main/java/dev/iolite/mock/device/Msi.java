package dev.iolite.mock.device;

/**
 * Message signalled interrupts, as the MSI capability has them: 64-bit addresses, no mask bits.
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
