package dev.iolite.mock.device;

import dev.iolite.kernel.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The report that a TSM in software makes up for a device. */
final class SoftwareReport {
  private static final int PAGE = (int) Page.BYTES;
  private static final int DIGEST_BYTES = 32;
  private static final ValueLayout.OfInt ID =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DeviceShape shape;
  private final List<TdiRange> exceptions;

  /**
   * Prepares a report.
   *
   * @param shared what is not TEE memory, in addition to the MSI-X structures
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

  /** tsm-sim.c:sim_measure: one digest, which is computed from the function's IDs. */
  static DeviceMeasurements measurements(int vendor, int device) {
    MemorySegment digest = MemorySegment.ofArray(new byte[DIGEST_BYTES]);
    for (long i = 0; i < DIGEST_BYTES / Integer.BYTES; i++) {
      digest.setAtIndex(ID, i, vendor | device << Short.SIZE);
    }
    return DeviceMeasurements.of(new DeviceMeasurement(1, DeviceMeasurement.ROM, digest));
  }

  private static TdiRange around(int bar, long offset, long bytes, int attributes) {
    long first = offset / PAGE;
    long end = (offset + bytes + PAGE - 1) / PAGE;
    return new TdiRange(bar, first, (int) (end - first), attributes);
  }

  /** tsm-sim.c:sim_make_report. */
  TdiReport make() {
    List<TdiRange> ranges = new ArrayList<>();
    for (Bar bar : shape.bars()) {
      if (bar.isMemory()) {
        add(ranges, bar);
      }
    }
    return TdiReport.of(ranges.toArray(TdiRange[]::new));
  }

  /** Adds a BAR, unless it is smaller than a page, which can't be reported. */
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
