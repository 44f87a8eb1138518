package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;

/**
 * A size of huge pages, of which the host must have reserved some
 * (/sys/kernel/mm/hugepages/hugepages-*kB/nr_hugepages).
 *
 * <p>An IOMMU maps a huge page with one entry, and pinning it takes one step instead of hundreds.
 */
public enum HugePage {
  /** 2 MiB. */
  MIB_2(21),
  /** 1 GiB. */
  GIB_1(30);

  private final int shift;

  HugePage(int shift) {
    this.shift = shift;
  }

  /** How large it is. */
  public long bytes() {
    return 1L << shift;
  }

  /** The flags of mmap(2). */
  int mapFlags() {
    return Libc.MAP_HUGETLB() | shift << Libc.MAP_HUGE_SHIFT();
  }

  /** The flags of memfd_create(2). */
  int memfdFlags() {
    return Libc.MFD_HUGETLB() | shift << Libc.MFD_HUGE_SHIFT();
  }
}
