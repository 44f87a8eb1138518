package dev.iolite.cli.held;

import dev.iolite.kernel.ByteSize;
import dev.iolite.tdi.layout.Kind;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * A guest access, as a user types it. Input that can't be understood is an {@link
 * IllegalArgumentException}.
 *
 * @param gpa the guest-physical address
 * @param bytes 1, 2, 4 or 8
 */
record HeldAccess(long gpa, int bytes, Kind kind) {
  private static final Set<Long> WIDTHS = Set.of(1L, 2L, 4L, 8L);
  private static final int CONFIG_BYTES = 256;
  private static final int HEXADECIMAL = 16;

  /**
   * Parses what was typed.
   *
   * @param first the kind, if it is given, or the number of bytes
   * @param second the number of bytes, after the kind
   */
  static HeldAccess parse(String gpa, Optional<String> first, Optional<String> second) {
    Optional<Kind> kind = first.flatMap(HeldAccess::findKind);
    if (second.isPresent() && kind.isEmpty()) {
      throw new IllegalArgumentException(
          "'private' or 'shared' comes before the number of bytes, not '%s'"
              .formatted(first.orElseThrow()));
    }
    long bytes = (kind.isPresent() ? second : first).map(ByteSize::parse).orElse(4L);
    if (!WIDTHS.contains(bytes)) {
      throw new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + bytes);
    }
    return new HeldAccess(ByteSize.parse(gpa), (int) bytes, kind.orElse(Kind.SHARED));
  }

  private static Optional<Kind> findKind(String word) {
    return Arrays.stream(Kind.values()).filter(kind -> kind.toString().equals(word)).findFirst();
  }

  static Kind kind(String word) {
    return findKind(word)
        .orElseThrow(
            () -> new IllegalArgumentException("memory is private or shared, not '" + word + "'"));
  }

  /** Parses the offset of 32 bits in configuration space. */
  static int register(String text) {
    long offset = ByteSize.parse(text);
    if (offset >= CONFIG_BYTES || offset % Integer.BYTES != 0) {
      throw new IllegalArgumentException(
          "an offset in config space is a multiple of 4 below 0x100, not " + text);
    }
    return (int) offset;
  }

  /** Parses an unsigned value of this many bytes. */
  static long value(String text, int bytes) {
    boolean isHex = text.startsWith("0x") || text.startsWith("0X");
    try {
      long value =
          isHex
              ? Long.parseUnsignedLong(text.substring(2), HEXADECIMAL)
              : Long.parseUnsignedLong(text);
      if (bytes == Long.BYTES || value >>> (bytes * Byte.SIZE) == 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("a value is like 17 or 0x11, not '" + text + "'", e);
    }
    throw new IllegalArgumentException(text + " has more than " + bytes + " bytes");
  }

  /** For example {@code 4 bytes at 0x2000000, private}. */
  @Override
  public String toString() {
    return "%d bytes at 0x%x, %s".formatted(bytes, gpa, kind);
  }
}
