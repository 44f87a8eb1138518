package dev.iolite.mock.device;

import java.util.ArrayList;
import java.util.List;

/** The report that a TSM in software makes up for a device (tsm-sim.c:make_report). */
final class SoftwareReport {
  private static final int PAGE = (int) TdiRange.PAGE;

  private final DeviceShape shape;
  private final List<TdiRange> exceptions;

  /**
   * Prepares it.
   *
   * @param shared what is not TEE memory, besides what MSI-X has
   */
  SoftwareReport(DeviceShape shape, List<TdiRange> shared) {
    this.shape = shape;
    exceptions = new ArrayList<>(shared);
    shape
        .msiX()
        .ifPresent(msiX -> {
          int table = TdiRange.MSIX_TABLE | TdiRange.NON_TEE;
          int pba = TdiRange.MSIX_PBA | TdiRange.NON_TEE;
          exceptions.add(around(msiX.tableBar(), msiX.tableOffset(), msiX.tableBytes(), table));
          exceptions.add(around(msiX.pbaBar(), msiX.pbaOffset(), msiX.pbaBytes(), pba));
        });
  }

  private static TdiRange around(int bar, long offset, long bytes, int attributes) {
    long first = offset / PAGE;
    long end = (offset + bytes + PAGE - 1) / PAGE;
    return new TdiRange(bar, first, (int) (end - first), attributes);
  }

  TdiReport make() {
    List<TdiRange> ranges = new ArrayList<>();
    for (Bar bar : shape.bars()) {
      if (bar.isMemory()) {
        add(ranges, bar);
      }
    }
    return TdiReport.of(ranges.toArray(TdiRange[]::new));
  }

  /** What is smaller than a page can't be reported. */
  private void add(List<TdiRange> ranges, Bar bar) {
    long pages = bar.bytes() / PAGE;
    for (long from = 0, page = 1; page <= pages; page++) {
      int attributes = attributes(bar.index(), from);
      if (page == pages || attributes(bar.index(), page) != attributes) {
        ranges.add(new TdiRange(bar.index(), from, (int) (page - from), attributes));
        from = page;
      }
    }
  }

  private int attributes(int bar, long page) {
    return exceptions.stream()
        .filter(one -> one.bar() == bar)
        .filter(one -> page >= one.firstPage() && page * PAGE < one.endBytes())
        .mapToInt(TdiRange::attributes)
        .reduce(0, (a, b) -> a | b);
  }
}
