package dev.iolite.mock.type1;

import dev.iolite.mock.core.DmaDomain;
import dev.iolite.mock.core.IommuDevice.Range;
import java.util.ArrayList;
import java.util.List;

/** The IOVAs that can be mapped: what the page table reaches, without what devices reserve. */
final class IovaRanges {
  private IovaRanges() {}

  /** vfio_iommu_aper_resize and vfio_iommu_resv_exclude; in ascending order, perhaps empty. */
  static List<Range> of(DmaDomain domain, List<Range> reserved) {
    List<Range> ranges = List.of(new Range(domain.firstIova(), domain.lastIova()));
    for (Range hole : reserved) {
      List<Range> left = new ArrayList<>();
      ranges.forEach(range -> exclude(range, hole, left));
      ranges = left;
    }
    return ranges;
  }

  private static void exclude(Range range, Range hole, List<Range> left) {
    if (isBelow(hole.last(), range.first()) || isBelow(range.last(), hole.first())) {
      left.add(range);
      return;
    }
    if (isBelow(range.first(), hole.first())) {
      left.add(new Range(range.first(), hole.first() - 1));
    }
    if (isBelow(hole.last(), range.last())) {
      left.add(new Range(hole.last() + 1, range.last()));
    }
  }

  /** vfio_iommu_iova_dma_valid: whether one of the ranges contains all of this one. */
  static boolean contain(List<Range> ranges, long first, long last) {
    return ranges.stream()
        .anyMatch(range -> !isBelow(first, range.first()) && !isBelow(range.last(), last));
  }

  private static boolean isBelow(long a, long b) {
    return Long.compareUnsigned(a, b) < 0;
  }
}
