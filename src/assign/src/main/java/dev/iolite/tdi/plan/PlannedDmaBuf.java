package dev.iolite.tdi.plan;

import dev.iolite.tdi.layout.Kind;
import dev.iolite.vfio.ByteRange;
import java.util.List;

/**
 * A dma-buf to open over parts of a BAR.
 *
 * @param bar the BAR's index
 * @param kind the kind of all of it
 * @param ranges the parts, ascending; they follow one another in the dma-buf
 */
public record PlannedDmaBuf(int bar, Kind kind, List<ByteRange> ranges) {
  /** Copies the list. */
  public PlannedDmaBuf {
    ranges = List.copyOf(ranges);
  }

  /** Its length in bytes. */
  public long bytes() {
    return ranges.stream().mapToLong(ByteRange::bytes).sum();
  }
}
