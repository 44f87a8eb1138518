package dev.iolite.tdi.layout;

import dev.iolite.kernel.ByteSize;

/**
 * The size of a memory BAR.
 *
 * @param bar its index, 0 to 5
 * @param bytes its size, more than 0
 */
public record BarSize(int bar, long bytes) {
  /** How many BARs a function can have. */
  public static final int BARS = 6;

  /**
   * Checks both.
   *
   * @throws IllegalArgumentException if there is no such BAR
   */
  public BarSize {
    if (bar < 0 || bar >= BARS || bytes <= 0) {
      throw new IllegalArgumentException("there is no BAR %d of %d bytes".formatted(bar, bytes));
    }
  }

  /** For example {@code BAR 2 (16 GiB)}. */
  @Override
  public String toString() {
    return "BAR %d (%s)".formatted(bar, ByteSize.text(bytes));
  }
}
