package dev.iolite.iommufd;

import java.util.List;

/**
 * The addresses at which an IOAS can map. Each attached device narrows them; detaching can widen
 * them again.
 *
 * @param allowed the ranges, from low to high, neither overlapping nor adjacent
 * @param alignment the number of bytes of which every mapping's IOVA, size and offset within a page
 *     must be a multiple: a power of two from 1 to the page size
 */
public record IovaRanges(List<IovaRange> allowed, long alignment) {
  /** Copies the list. */
  public IovaRanges {
    allowed = List.copyOf(allowed);
  }

  /** Whether a mapping could be made at a range, judging by position and alignment alone. */
  public boolean allows(IovaRange range) {
    return range.first() % alignment == 0
        && range.bytes() % alignment == 0
        && allowed.stream().anyMatch(free -> free.contains(range));
  }
}
