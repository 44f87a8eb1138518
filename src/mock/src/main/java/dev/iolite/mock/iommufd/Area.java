package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import org.jspecify.annotations.Nullable;

/**
 * A mapped range of IOVA (struct iopt_area): a slice of some {@link Pages}. It is a node of its
 * {@link AreaTree}, too, so that a mapping costs one object.
 */
final class Area {
  /** Its first and last IOVA, unsigned. */
  final long first;

  final long last;

  /** What is mapped, and from which of its bytes on. */
  final Pages pages;

  final long startByte;

  final boolean readable;
  final boolean writable;

  /** Whether page tables hold it (a storage domain is set), and so its pages are pinned. */
  boolean isFilled;

  /** How many accesses of the kernel's own lock it (num_locks, and num_accesses with it). */
  int locks;

  @Nullable Area left;
  @Nullable Area right;
  int height;

  /** Of the subtree: its lowest and highest IOVA and the longest hole between two of its areas. */
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

  /** Which byte of the pages an IOVA in it leads to. */
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

  /** Puts it into page tables: pins its pages (pages.c:iopt_area_fill_domain). */
  void fill() {
    pages.hold(firstPage(), lastPage());
    isFilled = true;
  }

  /** Takes it out of the last page table (pages.c:iopt_area_unfill_domain). */
  void unfill() {
    if (isFilled) {
      isFilled = false;
      pages.drop(firstPage(), lastPage());
    }
  }
}
