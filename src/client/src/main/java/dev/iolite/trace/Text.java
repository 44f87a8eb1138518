package dev.iolite.trace;

import dev.iolite.kernel.StructText;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.StringJoiner;

/** Formats the content of memory as text. */
final class Text {
  private static final int IOC_NR_BITS = 8;
  private static final int IOC_TYPE_BITS = 8;
  private static final int IOC_SIZE_BITS = 14;

  private Text() {}

  /** The fields of a struct that differ, with their new values; empty if none do. */
  static String changes(MemoryLayout layout, MemorySegment before, MemorySegment after) {
    if (before.mismatch(after) == -1) {
      return "";
    }
    if (!(layout instanceof StructLayout struct)) {
      return StructText.of(layout, after);
    }
    StringJoiner text = new StringJoiner(", ", "{", "}");
    long offset = 0;
    for (MemoryLayout member : struct.memberLayouts()) {
      MemorySegment now = after.asSlice(offset, member.byteSize());
      if (!(member instanceof PaddingLayout)
          && before.asSlice(offset, member.byteSize()).mismatch(now) != -1) {
        text.add(member.name().map(name -> name + "=").orElse("") + StructText.of(member, now));
      }
      offset += member.byteSize();
    }
    return text.toString();
  }

  /** Bytes as a string if they are one, else in hexadecimal; with dots if there are more. */
  static String bytes(MemorySegment bytes, boolean more) {
    byte[] array = bytes.toArray(ValueLayout.JAVA_BYTE);
    String text =
        isText(array)
            ? '"' + new String(array, StandardCharsets.US_ASCII).replace("\n", "\\n") + '"'
            : HexFormat.ofDelimiter(" ").formatHex(array);
    return more ? text + "..." : text;
  }

  private static boolean isText(byte[] bytes) {
    for (byte b : bytes) {
      if (b != '\n' && (b < ' ' || b > '~')) {
        return false;
      }
    }
    return true;
  }

  /** An ioctl number split into its parts, as x86 and Arm encode them (asm-generic/ioctl.h). */
  static String ioctl(long request) {
    long size = request >>> (IOC_NR_BITS + IOC_TYPE_BITS) & (1 << IOC_SIZE_BITS) - 1;
    String direction =
        switch ((int) (request >>> (IOC_NR_BITS + IOC_TYPE_BITS + IOC_SIZE_BITS) & 3)) {
          case 0 -> "none";
          case 1 -> "write";
          case 2 -> "read";
          default -> "read and write";
        };
    int type = (int) (request >>> IOC_NR_BITS & 0xff);
    return "0x%x [dir=%s, type=%s, nr=0x%x, size=%d]"
        .formatted(
            request & 0xffff_ffffL,
            direction,
            type > ' ' && type <= '~' ? "'" + (char) type + "'" : "0x" + Integer.toHexString(type),
            request & 0xff,
            size);
  }

  /** A plain value, small ones in decimal. */
  static String value(long value) {
    return value >= -1 && value < 10 ? Long.toString(value) : "0x" + Long.toHexString(value);
  }
}
