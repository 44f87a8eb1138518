package dev.iolite.iommufd;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.HugePage;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Memory for DMA, from which a driver takes buffers: mapped in an IOAS once, so that taking and
 * giving back a buffer makes no call.
 *
 * <p>Free ranges are kept in the order of their addresses, and joined when they meet; a buffer is
 * taken from the first that has room. Safe for use by several threads.
 */
public final class DmaPool implements AutoCloseable {
  private final CloseStack opened;
  private final MemorySegment memory;
  private final IovaMapping mapping;

  /** Lengths of the free ranges, by their offsets. */
  private final TreeMap<Long, Long> free = new TreeMap<>();

  private boolean closed;

  private DmaPool(CloseStack opened, Mapping memory, IovaMapping mapping) {
    this.opened = opened;
    this.memory = memory.segment();
    this.mapping = mapping;
    free.put(0L, memory.bytes());
  }

  /**
   * Makes a pool at an IOVA that the kernel chooses.
   *
   * @param bytes its size, whole pages
   * @throws dev.iolite.kernel.KernelException as for {@link Mapping#anonymous(Kernel, long)} and
   *     {@link Ioas#mapAnywhere}
   */
  public static DmaPool of(Kernel kernel, Ioas ioas, long bytes) {
    return over(Mapping.anonymous(kernel, bytes), ioas);
  }

  /**
   * Makes a pool of huge pages at an IOVA that the kernel chooses.
   *
   * @param bytes its size, whole huge pages
   * @throws dev.iolite.kernel.KernelException as for {@link Mapping#anonymous(Kernel, long,
   *     HugePage)} and {@link Ioas#mapAnywhere}
   */
  public static DmaPool of(Kernel kernel, Ioas ioas, long bytes, HugePage page) {
    return over(Mapping.anonymous(kernel, bytes, page), ioas);
  }

  private static DmaPool over(Mapping memory, Ioas ioas) {
    try (CloseStack opening = new CloseStack()) {
      opening.push(memory);
      IovaMapping mapping = opening.push(ioas.mapAnywhere(memory.segment(), IovaAccess.READ_WRITE));
      return new DmaPool(opening.release(), memory, mapping);
    }
  }

  /** The range of IOVAs that all buffers are in. */
  public IovaRange range() {
    return mapping.range();
  }

  /** How many bytes are free, in however many ranges. */
  public synchronized long freeBytes() {
    return free.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Takes a buffer, filled with zeros.
   *
   * @param bytes its size, more than 0
   * @param alignment what its IOVA is a multiple of, a power of two
   * @return empty if no free range is large enough
   * @throws IllegalStateException if the pool is closed
   */
  public synchronized Optional<DmaBuffer> take(long bytes, long alignment) {
    if (bytes <= 0 || Long.bitCount(alignment) != 1) {
      throw new IllegalArgumentException(
          "a buffer of %d bytes, aligned to %d".formatted(bytes, alignment));
    }
    if (closed) {
      throw new IllegalStateException("the pool is closed");
    }
    for (Map.Entry<Long, Long> range : free.entrySet()) {
      long offset = range.getKey();
      long length = range.getValue();
      long gap = -(mapping.iova() + offset) & (alignment - 1);
      if (gap <= length - bytes) {
        free.remove(offset);
        addFree(offset, gap);
        addFree(offset + gap + bytes, length - gap - bytes);
        MemorySegment taken = memory.asSlice(offset + gap, bytes).fill((byte) 0);
        return Optional.of(new DmaBuffer(this, taken, mapping.iova() + offset + gap));
      }
    }
    return Optional.empty();
  }

  private void addFree(long offset, long bytes) {
    if (bytes > 0) {
      free.put(offset, bytes);
    }
  }

  synchronized void giveBack(DmaBuffer buffer) {
    long offset = buffer.iova() - mapping.iova();
    long end = offset + buffer.bytes();
    Map.Entry<Long, Long> before = free.lowerEntry(offset);
    if (before != null && before.getKey() + before.getValue() == offset) {
      offset = before.getKey();
    }
    Long after = free.remove(end);
    free.put(offset, (after == null ? end : end + after) - offset);
  }

  /**
   * Unmaps and frees the memory, with all buffers: no device may use them any more. After an error,
   * it can be closed again.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: the kernel itself uses the mapping
   */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    opened.close();
  }

  @Override
  public String toString() {
    return "DMA pool at " + mapping;
  }
}
