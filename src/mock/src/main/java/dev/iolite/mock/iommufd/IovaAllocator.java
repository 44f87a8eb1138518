package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import java.util.List;

/** Finds the lowest free IOVA for a caller that accepts any (io_pagetable.c:iopt_alloc_iova). */
final class IovaAllocator {
  /** The largest page size for which an address is aligned (HPAGE_SIZE of x86-64). */
  private static final long HUGE_PAGE = 2 << 20;

  /** The limits of an automatic IOVA. */
  private static final AllowedIovas.Span ANYWHERE =
      new AllowedIovas.Span(Page.BYTES, -1 - Page.BYTES);

  private IovaAllocator() {}

  /**
   * Finds room.
   *
   * @param origin the memory's address, whose alignment is kept as far as possible
   * @return the IOVA; never 0
   * @throws dev.iolite.mock.core.Refused EOVERFLOW, EINVAL, ENOSPC
   */
  static long find(
      AreaTree areas,
      Reservations reserved,
      AllowedIovas allowed,
      long leastAlignment,
      long origin,
      long bytes) {
    refuseIf(bytes == 0 || compareUnsigned(bytes, Long.MAX_VALUE) >= 0, Errno.EOVERFLOW);
    long alignment = alignment(origin, bytes);
    refuseIf(compareUnsigned(alignment, leastAlignment) < 0, Errno.EINVAL);
    long pageOffset = origin & (Page.BYTES - 1);
    List<AllowedIovas.Span> spans =
        allowed.isEmpty() ? List.of(ANYWHERE) : allowed.within(ANYWHERE.first(), ANYWHERE.last());
    for (AllowedIovas.Span span : spans) {
      long start = fit(span.first(), span.last(), bytes, alignment, pageOffset);
      if (start == 0) {
        continue;
      }
      for (AllowedIovas.Span free : reserved.holes(start, span.last())) {
        long found = find(areas, free, bytes, alignment, pageOffset);
        if (found != 0) {
          return found;
        }
      }
    }
    throw refused(Errno.ENOSPC);
  }

  private static long alignment(long origin, long bytes) {
    long rounded = bytes == 1 ? 1 : Long.highestOneBit(bytes - 1) << 1;
    if (origin != 0 && compareUnsigned(Long.lowestOneBit(origin), rounded) < 0) {
      rounded = Long.lowestOneBit(origin);
    }
    return compareUnsigned(rounded, HUGE_PAGE) < 0 ? rounded : HUGE_PAGE;
  }

  private static long find(
      AreaTree areas, AllowedIovas.Span free, long bytes, long alignment, long pageOffset) {
    long from = free.first();
    while (areas.findHole(from, free.last(), bytes)) {
      long start = fit(areas.holeFirst, areas.holeLast, bytes, alignment, pageOffset);
      if (start != 0 || areas.holeLast == free.last()) {
        return start;
      }
      from = areas.holeLast + 1;
    }
    return 0;
  }

  /** The lowest suitable start in a range; 0 if there is none (__alloc_iova_check_range). */
  private static long fit(long first, long last, long bytes, long alignment, long pageOffset) {
    long rounded = first + alignment - 1;
    if (compareUnsigned(rounded, first) < 0) {
      return 0;
    }
    long start = (rounded & -alignment) | pageOffset;
    boolean fits =
        compareUnsigned(start, last) < 0 && compareUnsigned(last - start, bytes - 1) >= 0;
    return fits ? start : 0;
  }
}
