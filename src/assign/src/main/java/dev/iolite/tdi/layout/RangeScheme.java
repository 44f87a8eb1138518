package dev.iolite.tdi.layout;

import dev.iolite.tsm.Arch;
import java.util.Locale;

/**
 * How a reported range is placed in its BAR. The addresses in a report include an offset that the
 * TSM keeps secret, so their absolute values mean nothing. Linux has both schemes
 * (drivers/pci/tsm); the platform decides.
 */
public enum RangeScheme {
  /**
   * The offset keeps every BAR aligned to its size, so a range's place is its address modulo that
   * size: SEV-TIO, and the default.
   */
  ALIGNED {
    @Override
    long barStart(long firstPage, long barPages) {
      return barPages == 0 ? firstPage : firstPage - Long.remainderUnsigned(firstPage, barPages);
    }
  },
  /** The first range that is reported for a BAR is at the BAR's start: TDX. */
  RELATIVE {
    @Override
    long barStart(long firstPage, long barPages) {
      return firstPage;
    }
  };

  /** The scheme that Linux uses for a platform. */
  public static RangeScheme of(Arch arch) {
    return arch == Arch.TDX ? RELATIVE : ALIGNED;
  }

  /**
   * The page with which a BAR starts, as the report counts pages.
   *
   * @param firstPage the first page of the first range in this BAR
   * @param barPages how many pages the BAR has; 0 if it is smaller than one
   */
  abstract long barStart(long firstPage, long barPages);

  /** {@code aligned} or {@code relative}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
