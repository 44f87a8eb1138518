package dev.iolite.mock.pci;

import dev.iolite.mock.device.Bar;
import java.util.Optional;

/**
 * Assigns addresses to BARs, as the firmware does: one after the other, each at a multiple of its
 * size.
 */
final class AddressMap {
  private static final long LOW_FIRST = 0x8000_0000L;
  private static final long LOW_END = 0xfe00_0000L;
  private static final long HIGH_FIRST = 1L << 38;
  private static final long HIGH_END = 1L << 51;
  private static final long PORTS_FIRST = 0xc000;
  private static final long PORTS_END = 0x1_0000;

  /** BARs up to this size go below 4 GiB even if they need not. */
  private static final long SMALL = 1 << 24;

  private final Window low = new Window(LOW_FIRST, LOW_END);
  private final Window high = new Window(HIGH_FIRST, HIGH_END);
  private final Window ports = new Window(PORTS_FIRST, PORTS_END);

  /** A range of addresses, assigned from its start on. */
  private static final class Window {
    private final long end;
    private long free;

    Window(long first, long end) {
      this.free = first;
      this.end = end;
    }

    Optional<Long> take(long bytes) {
      long start = (free + bytes - 1) & -bytes;
      if (start > end - bytes) {
        return Optional.empty();
      }
      free = start + bytes;
      return Optional.of(start);
    }
  }

  /**
   * An address for a BAR; empty if there is no room.
   *
   * @param above4G whether a 64-bit BAR must be above 4 GiB, however small it is
   */
  Optional<Long> take(Bar bar, boolean above4G) {
    return switch (bar.kind()) {
      case PORTS -> ports.take(bar.bytes());
      case MEMORY_32 -> low.take(bar.bytes());
      case MEMORY_64 ->
          above4G || bar.bytes() > SMALL ? high.take(bar.bytes()) : low.take(bar.bytes());
    };
  }

  /** An address for an expansion ROM. */
  Optional<Long> takeRom(long bytes) {
    return low.take(bytes);
  }
}
