package dev.iolite.tdi.layout;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * A range of MMIO as an interface reports it.
 *
 * @param bar the BAR that it is in, 0 to 5 (the range id of the report)
 * @param firstPage its address in pages of 4 KiB, with the reporting offset added that the host
 *     chose when it locked the interface: below 2<sup>52</sup>
 * @param pages its length in pages of 4 KiB, 1 to 2<sup>32</sup>-1
 * @param attributes what it is
 */
public record ReportedRange(int bar, long firstPage, long pages, Set<RangeAttribute> attributes) {
  /** The size of a report's pages, in bytes. */
  public static final long PAGE = 4096;

  /** Copies the set. */
  public ReportedRange {
    attributes = Collections.unmodifiableSet(new TreeSet<>(attributes));
  }

  /** The first page after it. */
  public long endPage() {
    return firstPage + pages;
  }

  /** Its length in bytes. */
  public long bytes() {
    return pages * PAGE;
  }

  /** Private, unless it is reported as non-TEE memory or as one of the MSI-X structures. */
  public Kind kind() {
    return attributes.isEmpty() || attributes.equals(Set.of(RangeAttribute.UPDATABLE))
        ? Kind.PRIVATE
        : Kind.SHARED;
  }
}
