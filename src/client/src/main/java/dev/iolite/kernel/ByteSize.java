package dev.iolite.kernel;

import java.util.Locale;

/**
 * Numbers of bytes in the notation that people use.
 *
 * <p>Safe for use by several threads.
 */
public final class ByteSize {
  private static final String UNITS = "KMGT";
  private static final int UNIT_BITS = 10;
  private static final long MOST_DIGITS = 10_000;
  private static final int HEXADECIMAL = 16;

  private ByteSize() {}

  /**
   * Reads a decimal or, with the prefix 0x, hexadecimal number, with an optional suffix K, M, G or
   * T for powers of 1024.
   *
   * @throws IllegalArgumentException if it is not a number, is negative, or needs more than 63 bits
   */
  public static long parse(String text) {
    int unit = text.isEmpty() ? -1 : UNITS.indexOf(text.charAt(text.length() - 1));
    int shift = UNIT_BITS * (unit + 1);
    String digits = unit < 0 ? text : text.substring(0, text.length() - 1);
    boolean isHex = digits.startsWith("0x") || digits.startsWith("0X");
    try {
      long number =
          isHex ? Long.parseLong(digits.substring(2), HEXADECIMAL) : Long.parseLong(digits);
      if (number < 0 || number > Long.MAX_VALUE >> shift) {
        throw new NumberFormatException("out of range");
      }
      return number << shift;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "a number of bytes is like 4096, 0x1000, 4K or 16G, and below 2^63, not '" + text + "'",
          e);
    }
  }

  /**
   * A size in the largest unit that suits it: {@code 64 KiB}; {@code ~15.9 GiB} if it has to be
   * rounded.
   *
   * @param bytes unsigned
   */
  public static String text(long bytes) {
    int unit = 0;
    while (unit < UNITS.length() && isWhole(bytes, unit + 1)) {
      unit++;
    }
    long number = bytes >>> (UNIT_BITS * unit);
    if (Long.compareUnsigned(number, MOST_DIGITS) < 0) {
      return number + " " + name(unit);
    }
    while (unit < UNITS.length() && bytes >>> (UNIT_BITS * (unit + 1)) != 0) {
      unit++;
    }
    double rounded = (bytes >>> 1) / (double) (1L << (UNIT_BITS * unit)) * 2;
    return String.format(Locale.ROOT, "~%.1f %s", rounded, name(unit));
  }

  private static boolean isWhole(long bytes, int unit) {
    return bytes != 0 && (bytes & ((1L << (UNIT_BITS * unit)) - 1)) == 0;
  }

  private static String name(int unit) {
    return unit == 0 ? "bytes" : UNITS.charAt(unit - 1) + "iB";
  }
}
