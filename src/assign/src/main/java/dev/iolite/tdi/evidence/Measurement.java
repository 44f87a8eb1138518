package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * One of a device's measurements. Two are equal if their content is equal.
 *
 * @param index the index by which the device knows it, 1 to 254
 * @param type what is measured
 * @param digest whether the value is a digest, by the algorithm that the TSM and the device have
 *     agreed on, and not the measured content itself
 * @param value the digest, or the content
 */
public record Measurement(int index, MeasurementType type, boolean digest, MemorySegment value) {
  /** Keeps the value from changing. */
  public Measurement {
    value = value.asReadOnly();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Measurement that
        && index == that.index
        && type == that.type
        && digest == that.digest
        && value.mismatch(that.value) == -1;
  }

  @Override
  public int hashCode() {
    return 31 * index + Arrays.hashCode(bytes());
  }

  private byte[] bytes() {
    return value.toArray(ValueLayout.JAVA_BYTE);
  }

  /** The value for people: in quotes if it is printable text and not a digest, else in hex. */
  public String text() {
    byte[] bytes = bytes();
    boolean isText = !digest && bytes.length > 0;
    for (byte each : bytes) {
      isText &= each >= ' ' && each <= '~';
    }
    return isText
        ? '"' + new String(bytes, StandardCharsets.US_ASCII) + '"'
        : HexFormat.of().formatHex(bytes);
  }

  /** For example {@code 3 mutable firmware's version "iolite 1.0"}. */
  @Override
  public String toString() {
    return "%d %s %s%s".formatted(index, type, digest ? "digest " : "", text());
  }
}
