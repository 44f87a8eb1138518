package dev.iolite.mock.iommufd;

import java.lang.foreign.MemorySegment;

/**
 * Memory that areas map slices of (struct iopt_pages): of the caller, of a file, or of a dma-buf.
 * IOAS_COPY makes several areas share it. It is freed with the last of them.
 */
abstract class Pages {
  private final boolean writable;
  private int references = 1;

  /**
   * Memory that one area, or one call, refers to.
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

  /** The last reference lets it go (pages.c:iopt_release_pages). */
  final void put() {
    if (--references == 0) {
      release();
    }
  }

  /** Nothing refers to it any longer, and none of its pages is held. */
  abstract void release();

  /** Where its first byte is in what it is of: what an automatic IOVA is aligned like. */
  abstract long origin();

  /**
   * Pins pages that a page table is to hold; those that another area holds stay as they are.
   *
   * @param first the index of the first page
   * @param last the index of the last page
   * @throws dev.iolite.mock.core.Refused EFAULT or EINVAL; nothing more is pinned then
   */
  abstract void hold(long first, long last);

  /** Ends a {@link #hold} of the same range. */
  abstract void drop(long first, long last);

  /**
   * A device's read; the bytes lie in pages that are held.
   *
   * @throws dev.iolite.mock.core.Memory.Unreachable what was mapped is gone
   */
  abstract void read(long at, MemorySegment into);

  /** A device's write; as {@link #read}. */
  abstract void write(long at, MemorySegment from);

  /** Whether a device can no longer reach it: a dma-buf that was revoked. */
  boolean isRevoked() {
    return false;
  }

  /** Whether it is a file, which IOMMU_IOAS_CHANGE_PROCESS wants. */
  boolean isFile() {
    return false;
  }

  /** Whether it is a dma-buf, whose areas can't be cut and hold nothing for the kernel itself. */
  boolean isDmaBuf() {
    return false;
  }

  /** What it is, in words: for listings. */
  abstract String what(long at);
}
