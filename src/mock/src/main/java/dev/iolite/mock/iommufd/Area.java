package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import org.jspecify.annotations.Nullable;

/**
 * A mapped range of IOVA (struct iopt_area): a slice of some {@link Pages}. It is also a node of
 * its {@link AreaTree}, so that a mapping costs one object.
 */
final class Area {
  /** Its first and last IOVA, unsigned. */
  final long first;

  final long last;

  /** What is mapped, and from which of its bytes onwards. */
  final Pages pages;

  final long startByte;

  final boolean readable;
  final boolean writable;

  /** Whether page tables hold it (a storage domain is set), so that its pages are pinned. */
  boolean isFilled;

  /** How many of the kernel's own accesses lock it (num_locks, which includes num_accesses). */
  int locks;

  @Nullable Area left;
  @Nullable Area right;
  int height;

  /** The subtree's lowest and highest IOVA, and the longest hole between two of its areas. */
  long lowest;

  long highest;
  long longestHole;

  Area(long first, long last, Pages pages, long startByte, boolean readable, boolean writable) {
    this.first = first;
    this.last = last;
    this.pages = pages;
    this.startByte = startByte;
    this.readable = readable;
    this.writable = writable;
  }

  /** The byte of the pages that an IOVA in this area leads to. */
  long byteAt(long iova) {
    return startByte + (iova - first);
  }

  /** Its length in bytes; 0 stands for 2^64. */
  long bytes() {
    return last - first + 1;
  }

  long firstPage() {
    return startByte / Page.BYTES;
  }

  long lastPage() {
    return (startByte + (last - first)) / Page.BYTES;
  }

  /** Adds it to page tables: pins its pages (pages.c:iopt_area_fill_domain). */
  void fill() {
    pages.hold(firstPage(), lastPage());
    isFilled = true;
  }

  /** Removes it from the last page table (pages.c:iopt_area_unfill_domain). */
  void unfill() {
    if (isFilled) {
      isFilled = false;
      pages.drop(firstPage(), lastPage());
    }
  }
}
