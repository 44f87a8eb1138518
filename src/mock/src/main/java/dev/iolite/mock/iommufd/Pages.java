package dev.iolite.mock.iommufd;

import java.lang.foreign.MemorySegment;

/**
 * Memory of the caller, of a file, or of a dma-buf; areas map slices of it (struct iopt_pages).
 * IOAS_COPY makes several areas share it. It is freed with the last of them.
 */
abstract class Pages {
  private final boolean writable;
  private int references = 1;

  /**
   * Makes memory to which one area, or one call, refers.
   *
   * @param writable whether an area may be mapped for writing
   */
  Pages(boolean writable) {
    this.writable = writable;
  }

  final boolean isWritable() {
    return writable;
  }

  final void get() {
    references++;
  }

  /** Releases a reference; the last one releases the memory (pages.c:iopt_release_pages). */
  final void put() {
    if (--references == 0) {
      release();
    }
  }

  /** Called when nothing refers to it any longer and none of its pages is held. */
  abstract void release();

  /** The position of its first byte in its source; an automatic IOVA gets the same alignment. */
  abstract long origin();

  /**
   * Pins pages that a page table is to hold; pages that another area holds stay as they are.
   *
   * @param first the index of the first page
   * @param last the index of the last page
   * @throws dev.iolite.mock.core.Refused EFAULT or EINVAL; then nothing more is pinned
   */
  abstract void hold(long first, long last);

  /** Ends a {@link #hold} of the same range. */
  abstract void drop(long first, long last);

  /**
   * Reads as a device does; the bytes lie in pages that are held.
   *
   * @throws dev.iolite.mock.core.Memory.Unreachable what was mapped is gone
   */
  abstract void read(long at, MemorySegment into);

  /** Writes as a device does; the same holds as for {@link #read}. */
  abstract void write(long at, MemorySegment from);

  /** Whether a device can no longer reach it because it is a dma-buf that was revoked. */
  boolean isRevoked() {
    return false;
  }

  /** Whether it is a file, as IOMMU_IOAS_CHANGE_PROCESS requires. */
  boolean isFile() {
    return false;
  }

  /**
   * Whether it is a dma-buf: its areas can't be cut, and the kernel itself can't hold its pages.
   */
  boolean isDmaBuf() {
    return false;
  }

  /** A description for listings. */
  abstract String what(long at);
}
