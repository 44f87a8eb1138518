package dev.iolite.mock.tsm;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * How a TSM reads a report from a device (11.3.10, 11.3.11): GET_DEVICE_INTERFACE_REPORT has an
 * offset and a length of 16 bits each; the answer has a portion and the length of the rest.
 */
final class ReportMessages {
  /** The largest value of offset and remainder. */
  static final int MOST_BYTES = 0xffff;

  /** The most that the model's devices return in one answer. */
  static final int PORTION_BYTES = 1024;

  private ReportMessages() {}

  /**
   * A device's answer.
   *
   * @param bytes the portion
   * @param remainder how many bytes of the report follow it
   */
  record Portion(MemorySegment bytes, int remainder) {}

  /**
   * Does the device's part.
   *
   * @param report the whole report
   * @param offset 16 bits
   * @param length the most bytes that the answer may have, 16 bits
   * @return the answer; empty if nothing is at that offset (TDISP_ERROR, INVALID_REQUEST)
   */
  static Optional<Portion> answer(byte[] report, int offset, int length) {
    if (offset >= report.length) {
      return Optional.empty();
    }
    int bytes = Math.min(report.length - offset, Math.min(length, PORTION_BYTES));
    return Optional.of(
        new Portion(
            MemorySegment.ofArray(report).asSlice(offset, bytes), report.length - offset - bytes));
  }

  /** Why a report can't be read, or can't be kept by a TSM that has room for this many bytes. */
  static Optional<String> tooLong(byte[] report, int most) {
    return report.length > most
        ? Optional.of(
            "the report has %d bytes, and at most %d can be taken".formatted(report.length, most))
        : Optional.empty();
  }

  /** Does the TSM's part: asks for the rest until the device says that there is none. */
  static byte[] read(byte[] device) {
    var read = new ByteArrayOutputStream();
    Optional<Portion> next = answer(device, 0, MOST_BYTES);
    while (next.isPresent()) {
      read.writeBytes(next.get().bytes().toArray(ValueLayout.JAVA_BYTE));
      next =
          next.get().remainder() == 0 ? Optional.empty() : answer(device, read.size(), MOST_BYTES);
    }
    return read.toByteArray();
  }
}
