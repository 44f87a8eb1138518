package dev.iolite.mock.device;

/**
 * A base address register of a device and what lies behind it.
 *
 * @param index 0 to 5; a 64-bit BAR also takes the next index
 * @param bytes its size, a power of two: at least 16 for memory, 4 to 256 for I/O ports
 * @param kind memory or ports
 * @param prefetchable whether reading it has no side effect
 */
public record Bar(int index, long bytes, Kind kind, boolean prefetchable) {
  /** How many BARs a function can have. */
  public static final int MOST = 6;

  private static final long LARGEST_MEMORY_32 = 1L << 31;
  private static final long LARGEST_MEMORY_64 = 1L << 46;
  private static final int LARGEST_PORTS = 256;
  private static final int SMALLEST_MEMORY = 16;
  private static final int SMALLEST_PORTS = 4;

  /** What a BAR's addresses are. */
  public enum Kind {
    /** Memory that lies below 4 GiB. */
    MEMORY_32,
    /** Memory that may lie anywhere. */
    MEMORY_64,
    /** I/O ports. */
    PORTS
  }

  /** Checks that a device can have such a BAR. */
  public Bar {
    boolean wide = kind == Kind.MEMORY_64;
    if (index < 0 || index > (wide ? MOST - 2 : MOST - 1)) {
      throw new IllegalArgumentException("no BAR of kind %s has index %d".formatted(kind, index));
    }
    long smallest = kind == Kind.PORTS ? SMALLEST_PORTS : SMALLEST_MEMORY;
    long largest =
        switch (kind) {
          case MEMORY_32 -> LARGEST_MEMORY_32;
          case MEMORY_64 -> LARGEST_MEMORY_64;
          case PORTS -> LARGEST_PORTS;
        };
    if (Long.bitCount(bytes) != 1 || bytes < smallest || bytes > largest) {
      throw new IllegalArgumentException(
          "BAR%d of kind %s can't have 0x%x bytes: a power of two from 0x%x to 0x%x"
              .formatted(index, kind, bytes, smallest, largest));
    }
    if (prefetchable && kind == Kind.PORTS) {
      throw new IllegalArgumentException("ports are not prefetchable");
    }
  }

  /** Memory below 4 GiB that is not prefetchable. */
  public static Bar memory32(int index, long bytes) {
    return new Bar(index, bytes, Kind.MEMORY_32, false);
  }

  /** Memory anywhere that is not prefetchable. */
  public static Bar memory64(int index, long bytes) {
    return new Bar(index, bytes, Kind.MEMORY_64, false);
  }

  /** Memory anywhere that is prefetchable. */
  public static Bar prefetchable64(int index, long bytes) {
    return new Bar(index, bytes, Kind.MEMORY_64, true);
  }

  /** I/O ports. */
  public static Bar ports(int index, long bytes) {
    return new Bar(index, bytes, Kind.PORTS, false);
  }

  /** Whether it is memory. */
  public boolean isMemory() {
    return kind != Kind.PORTS;
  }

  /** How many indexes it takes. */
  int slots() {
    return kind == Kind.MEMORY_64 ? 2 : 1;
  }
}
