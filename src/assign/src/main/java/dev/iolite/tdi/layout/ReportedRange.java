package dev.iolite.tdi.layout;

import dev.iolite.kernel.Page;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * A range of MMIO as an interface reports it.
 *
 * @param id the BAR that it is in, 0 to 5; 6 and 7 are not BARs, and from 8 on, a range is
 *     device-specific, and only the device's driver knows what it is
 * @param firstPage its address in pages of 4 KiB, plus the reporting offset, which the TSM chose
 *     when it locked the interface and which nobody else learns: below 2<sup>52</sup>
 * @param pages its length in pages of 4 KiB, 1 to 2<sup>32</sup>-1
 * @param attributes what it is
 */
public record ReportedRange(int id, long firstPage, long pages, Set<RangeAttribute> attributes) {
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
    return pages * Page.BYTES;
  }

  /** Whether it is in a BAR, whose index is then its id. */
  public boolean isInBar() {
    return id < BarSize.BARS;
  }

  /**
   * Private, unless it is reported as non-TEE memory. An MSI-X structure is reported only if it was
   * locked: then it is TEE memory too, and the device rejects the host's accesses (11.3.8).
   */
  public Kind kind() {
    return attributes.contains(RangeAttribute.NON_TEE) ? Kind.SHARED : Kind.PRIVATE;
  }
}
