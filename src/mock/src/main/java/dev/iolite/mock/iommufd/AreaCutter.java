package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;

/** Cuts areas in two, as VFIO's old unmap may do (io_pagetable.c:iopt_cut_iova). */
final class AreaCutter {
  private AreaCutter() {}

  /**
   * Makes this IOVA the last of an area, if it is in one (io_pagetable.c:iopt_area_split).
   *
   * @throws dev.iolite.mock.core.Refused EBUSY, EOPNOTSUPP: it is a dma-buf; EINVAL: not the end of
   *     a page, or the area is in use as a whole
   */
  static void cutAfter(IoPageTable table, long iova) {
    Area area = table.areas().at(iova);
    if (area == null || iova == area.first || iova == area.last) {
      return;
    }
    refuseIf(area.pages.isDmaBuf(), Errno.EOPNOTSUPP);
    long start = iova + 1;
    refuseIf(((start | area.byteAt(start)) & (table.alignment() - 1)) != 0, Errno.EINVAL);
    refuseIf(area.locks != 0, Errno.EINVAL);
    refuseIf(area.isFilled && !table.isWithoutHugePages(), Errno.EINVAL);
    Area low = new Area(area.first, iova, area.pages, area.startByte, area.readable, area.writable);
    Area high =
        new Area(start, area.last, area.pages, area.byteAt(start), area.readable, area.writable);
    table.areas().remove(area);
    table.areas().insert(low);
    table.areas().insert(high);
    area.pages.get();
    if (area.isFilled) {
      low.fill();
      high.fill();
      area.unfill();
    }
  }
}
