package dev.iolite.tdi.ledger;

import dev.iolite.tdi.layout.Kind;
import java.util.Optional;

/**
 * The facts about a page, in 56 bits: kind (2), slot's access (2), mapped (1), slot's number (16),
 * and from bit 24 on the dma-bufs of slot and map (16 each, 0 for none).
 */
final class Facts {
  /** Of a page of which nothing is recorded. */
  static final long NONE = 0;

  /** The largest number of a dma-buf. */
  static final int MOST_DMA_BUFS = 0xffff;

  /** The largest number of a slot: KVM's field for it has 16 bits. */
  static final int LAST_SLOT = 0xffff;

  private static final int ACCESS = 2;
  private static final int MAPPED = 4;
  private static final int SLOT = 5;
  private static final int SLOT_BUF = 24;
  private static final int MAP_BUF = 40;
  private static final long TWO_BITS = 3;
  private static final long NUMBER = 0xffff;
  private static final long SLOT_MASK =
      (TWO_BITS << ACCESS) | (NUMBER << SLOT) | (NUMBER << SLOT_BUF);
  private static final long MAP_MASK = (1L << MAPPED) | (NUMBER << MAP_BUF);

  private Facts() {}

  static long withKind(long facts, Kind kind) {
    return withoutKind(facts) | (kind == Kind.SHARED ? 1 : 2);
  }

  static long withoutKind(long facts) {
    return facts & ~TWO_BITS;
  }

  static Optional<Kind> kind(long facts) {
    return switch ((int) (facts & TWO_BITS)) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(Kind.SHARED);
      default -> Optional.of(Kind.PRIVATE);
    };
  }

  static long withSlot(long facts, int number, SlotAccess access, int dmaBuf) {
    long code =
        switch (access) {
          case SHARED -> 1;
          case PRIVATE -> 2;
          case BOTH -> 3;
        };
    return withoutSlot(facts)
        | (code << ACCESS)
        | ((long) number << SLOT)
        | ((long) dmaBuf << SLOT_BUF);
  }

  static long withoutSlot(long facts) {
    return facts & ~SLOT_MASK;
  }

  static Optional<SlotAccess> access(long facts) {
    return switch ((int) ((facts >>> ACCESS) & TWO_BITS)) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(SlotAccess.SHARED);
      case 2 -> Optional.of(SlotAccess.PRIVATE);
      default -> Optional.of(SlotAccess.BOTH);
    };
  }

  static boolean hasSlot(long facts) {
    return ((facts >>> ACCESS) & TWO_BITS) != 0;
  }

  static boolean hasSlot(long facts, int number) {
    return hasSlot(facts) && slot(facts) == number;
  }

  static int slot(long facts) {
    return (int) ((facts >>> SLOT) & NUMBER);
  }

  static int slotDmaBuf(long facts) {
    return (int) ((facts >>> SLOT_BUF) & NUMBER);
  }

  static long withMap(long facts, int dmaBuf) {
    return withoutMap(facts) | (1L << MAPPED) | ((long) dmaBuf << MAP_BUF);
  }

  static long withoutMap(long facts) {
    return facts & ~MAP_MASK;
  }

  static boolean isMapped(long facts) {
    return ((facts >>> MAPPED) & 1) != 0;
  }

  static int mapDmaBuf(long facts) {
    return (int) ((facts >>> MAP_BUF) & NUMBER);
  }
}
