package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Reads one of several messages; offsets count from its start. Nothing in a message says how long
 * it is, so it may extend to the end of the input.
 *
 * @param all all the messages
 * @param start where this one starts
 * @param code which one it should be
 */
record MessageReader(MemorySegment all, long start, MessageCode code) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BYTE = 0xff;
  private static final int CODE_AT = 1;

  /** The maximum length of the message, in bytes. */
  long size() {
    return all.byteSize() - start;
  }

  /** Whether a message of this code seems to start here. */
  boolean isNext() {
    return size() > CODE_AT && u8(CODE_AT) == code.number();
  }

  int u8(long at) {
    return all.get(ValueLayout.JAVA_BYTE, start + at) & BYTE;
  }

  int u16(long at) {
    return Short.toUnsignedInt(all.get(SHORT, start + at));
  }

  int u32(long at) {
    return all.get(INT, start + at);
  }

  /** A copy that nobody can change. */
  MemorySegment copy(long at, long bytes) {
    return MemorySegment.ofArray(new byte[(int) bytes])
        .copyFrom(all.asSlice(start + at, bytes))
        .asReadOnly();
  }

  /** Refuses a message that ends before {@code end}. */
  void require(long at, long end, String what) {
    if (end > size()) {
      throw wrong(at, "the message ends at byte %d".formatted(all.byteSize()), what + " is here");
    }
  }

  /** Reads the version, and refuses any message but the expected one. */
  SpdmVersion version(long headBytes) {
    requireCode(headBytes);
    return SpdmVersion.of(u8(0))
        .orElseThrow(() ->
            wrong(0, "version 0x%02x".formatted(u8(0)), "only SPDM 1.1 to 1.4 are understood"));
  }

  /** Like {@link #version}, for a message that must be of the same version as others. */
  void require(SpdmVersion expected, long headBytes) {
    SpdmVersion found = version(headBytes);
    if (found != expected) {
      throw wrong(0, "SPDM " + found, "the messages before it are of SPDM " + expected);
    }
  }

  /** Refuses any message but the expected one, of whatever version. */
  void requireCode(long headBytes) {
    require(0, headBytes, "its head");
    if (!isNext()) {
      throw wrong(
          CODE_AT,
          "code 0x%02x".formatted(u8(CODE_AT)),
          "a %s message has 0x%02x".formatted(code, code.number()));
    }
  }

  MalformedMeasurementsException wrong(long at, String found, String allowed) {
    return new MalformedMeasurementsException(code.toString(), start + at, found, allowed);
  }
}
