package dev.iolite.iommufd;

/**
 * A range of I/O virtual addresses. It is described by its last address rather than by its end,
 * because the end of the whole space does not fit into 64 bits. All numbers are unsigned.
 *
 * @param first the first address
 * @param last the last address, inclusive
 */
public record IovaRange(long first, long last) {
  /** The whole address space. */
  public static final IovaRange ALL = new IovaRange(0, -1);

  /**
   * Checks the order.
   *
   * @throws IllegalArgumentException if the last address is below the first
   */
  public IovaRange {
    if (Long.compareUnsigned(last, first) < 0) {
      throw new IllegalArgumentException(
          "the last IOVA 0x%x is below the first, 0x%x".formatted(last, first));
    }
  }

  /**
   * The range of this many bytes that starts at an address.
   *
   * @param bytes unsigned, more than 0
   * @throws IllegalArgumentException if it is empty or extends beyond the address space
   */
  public static IovaRange of(long first, long bytes) {
    long last = first + bytes - 1;
    if (bytes == 0 || Long.compareUnsigned(last, first) < 0) {
      throw new IllegalArgumentException(
          "0x%x bytes from IOVA 0x%x are no range of the address space".formatted(bytes, first));
    }
    return new IovaRange(first, last);
  }

  /** How many bytes, unsigned; 0 stands for 2<sup>64</sup>, the size of {@link #ALL}. */
  public long bytes() {
    return last - first + 1;
  }

  /** Whether this range contains all of another. */
  public boolean contains(IovaRange other) {
    return Long.compareUnsigned(first, other.first) <= 0
        && Long.compareUnsigned(other.last, last) <= 0;
  }

  /** Whether the ranges have an address in common. */
  public boolean overlaps(IovaRange other) {
    return Long.compareUnsigned(first, other.last) <= 0
        && Long.compareUnsigned(other.first, last) <= 0;
  }

  /** For example {@code 0x1000-0x1fff}. */
  @Override
  public String toString() {
    return "0x%x-0x%x".formatted(first, last);
  }
}
