package dev.iolite.mock.iommufd;

import static java.lang.Long.compareUnsigned;

import java.util.ArrayList;
import java.util.List;

/**
 * Ranges of IOVA that can't be mapped, each with its owner: what a page table does not reach, or
 * what a device reserves (struct iopt_reserved). They are few and may overlap.
 */
final class Reservations {
  private final List<Reserved> ranges = new ArrayList<>();

  private record Reserved(long first, long last, Object owner) {}

  void add(long first, long last, Object owner) {
    ranges.add(new Reserved(first, last, owner));
    ranges.sort((a, b) -> compareUnsigned(a.first, b.first));
  }

  /** Removes all of an owner's ranges (io_pagetable.c:__iopt_remove_reserved_iova). */
  void remove(Object owner) {
    ranges.removeIf(range -> range.owner.equals(owner));
  }

  boolean overlaps(long first, long last) {
    for (int i = 0; i < ranges.size(); i++) {
      Reserved range = ranges.get(i);
      if (compareUnsigned(range.first, last) <= 0 && compareUnsigned(range.last, first) >= 0) {
        return true;
      }
    }
    return false;
  }

  /** The parts of a range that are not reserved (lib/interval_tree.c, spans that are holes). */
  List<AllowedIovas.Span> holes(long first, long last) {
    List<AllowedIovas.Span> holes = new ArrayList<>();
    long from = first;
    for (Reserved range : ranges) {
      if (compareUnsigned(range.last, from) < 0) {
        continue;
      }
      if (compareUnsigned(range.first, last) > 0) {
        break;
      }
      if (compareUnsigned(range.first, from) > 0) {
        holes.add(new AllowedIovas.Span(from, range.first - 1));
      }
      if (compareUnsigned(range.last, last) >= 0) {
        return holes;
      }
      from = range.last + 1;
    }
    holes.add(new AllowedIovas.Span(from, last));
    return holes;
  }
}
