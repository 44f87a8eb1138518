package dev.iolite.iommufd;

import java.lang.foreign.MemorySegment;

/**
 * Memory that a driver and its device share, taken from a {@link DmaPool}. Closing it gives it
 * back.
 *
 * <p>Safe for use by several threads.
 */
public final class DmaBuffer implements AutoCloseable {
  private final DmaPool pool;
  private final MemorySegment memory;
  private final long iova;
  private boolean given;

  DmaBuffer(DmaPool pool, MemorySegment memory, long iova) {
    this.pool = pool;
    this.memory = memory;
    this.iova = iova;
  }

  /** The memory, as this process sees it. */
  public MemorySegment memory() {
    return memory;
  }

  /** Its first address, as the device sees it. */
  public long iova() {
    return iova;
  }

  /** Its size. */
  public long bytes() {
    return memory.byteSize();
  }

  /** Gives it back, once: the device must have finished with it. */
  @Override
  public synchronized void close() {
    if (!given) {
      given = true;
      pool.giveBack(this);
    }
  }

  @Override
  public String toString() {
    return "%d bytes at IOVA 0x%x".formatted(bytes(), iova);
  }
}
