package dev.iolite.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;

/** The secret that a physical function and its virtual functions share, as the kernel has it. */
final class VfToken {
  private VfToken() {}

  /** The bytes in the order of the text (lib/uuid.c:uuid_parse). */
  static MemorySegment bytes(Arena arena, UUID token) {
    return arena.allocateFrom(
        ValueLayout.JAVA_LONG.withOrder(ByteOrder.BIG_ENDIAN),
        token.getMostSignificantBits(),
        token.getLeastSignificantBits());
  }
}
