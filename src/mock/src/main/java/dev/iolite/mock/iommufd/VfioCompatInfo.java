package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_iova_range;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_dma_avail;
import dev.iolite.uapi.vfio.vfio_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** VFIO_IOMMU_GET_INFO (vfio_compat.c:iommufd_vfio_iommu_get_info). */
final class VfioCompatInfo {
  private static final long LEAST_BYTES = vfio_iommu_type1_info.iova_pgsizes$offset() + Long.BYTES;
  private static final long INFO_BYTES = vfio_iommu_type1_info.sizeof();
  private static final long AVAIL_BYTES = vfio_iommu_type1_info_dma_avail.sizeof();
  private static final long RANGES_BYTES = vfio_iommu_type1_info_cap_iova_range.sizeof();
  private static final long RANGE_BYTES = vfio_iova_range.sizeof();

  private VfioCompatInfo() {}

  /** Reports page sizes and, in capabilities, how much can be mapped and where. */
  static void give(IommufdFile context, long argument) {
    Task task = context.process();
    MemorySegment info = task.scratch(INFO_BYTES);
    task.user().read(argument, info.asSlice(0, LEAST_BYTES));
    long room = Integer.toUnsignedLong(vfio_iommu_type1_info.argsz(info));
    refuseIf(room < LEAST_BYTES, Errno.EINVAL);
    IoPageTable table = VfioCompat.ioas(context).table();
    long ranges = INFO_BYTES + ((AVAIL_BYTES + 7) & -8);
    giveAvailable(task, argument + INFO_BYTES, room - INFO_BYTES);
    long end = ranges + giveRanges(task, table, argument + ranges, room - ranges);
    if (room >= ranges) {
      MemorySegment next = task.scratch(Integer.BYTES);
      next.set(vfio_info_cap_header.next$layout(), 0, (int) ranges);
      task.out(argument + INFO_BYTES + vfio_info_cap_header.next$offset(), next);
    }
    vfio_iommu_type1_info.argsz(info, (int) end);
    vfio_iommu_type1_info.flags(info, Vfio.VFIO_IOMMU_INFO_PGSIZES() | Vfio.VFIO_IOMMU_INFO_CAPS());
    vfio_iommu_type1_info.iova_pgsizes(info, pageSizes(table));
    vfio_iommu_type1_info.cap_offset(info, room >= end ? (int) INFO_BYTES : 0);
    task.out(argument, info.asSlice(0, Math.min(room, INFO_BYTES)));
  }

  /** iommufd_get_pagesizes; sizes below a page count as a page. */
  private static long pageSizes(IoPageTable table) {
    long sizes = -1;
    for (PageTable each : table.tables()) {
      sizes &= each.domain().pageSizes();
    }
    return (sizes & (Page.BYTES - 1)) == 0 ? sizes : (sizes & -Page.BYTES) | Page.BYTES;
  }

  /** iommufd_fill_cap_dma_avail. */
  private static void giveAvailable(Task task, long address, long room) {
    if (room >= AVAIL_BYTES) {
      MemorySegment cap = task.scratch(AVAIL_BYTES);
      MemorySegment header = vfio_iommu_type1_info_dma_avail.header(cap);
      vfio_info_cap_header.id(header, (short) Vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL());
      vfio_info_cap_header.version(header, (short) 1);
      vfio_iommu_type1_info_dma_avail.avail(cap, -1);
      task.out(address, cap);
    }
  }

  /** iommufd_fill_cap_iova. */
  private static long giveRanges(Task task, IoPageTable table, long address, long room) {
    List<AllowedIovas.Span> spans = table.reserved().holes(0, -1);
    MemorySegment range = task.scratch(RANGE_BYTES);
    for (int i = 0; i < spans.size() && room >= RANGES_BYTES + (i + 1) * RANGE_BYTES; i++) {
      vfio_iova_range.start(range, spans.get(i).first());
      vfio_iova_range.end(range, spans.get(i).last());
      task.out(address + RANGES_BYTES + i * RANGE_BYTES, range);
    }
    long bytes = RANGES_BYTES + spans.size() * RANGE_BYTES;
    if (room >= bytes) {
      MemorySegment cap = task.scratch(RANGES_BYTES);
      MemorySegment header = vfio_iommu_type1_info_cap_iova_range.header(cap);
      vfio_info_cap_header.id(header, (short) Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE());
      vfio_info_cap_header.version(header, (short) 1);
      vfio_iommu_type1_info_cap_iova_range.nr_iovas(cap, spans.size());
      task.out(address, cap);
    }
    return bytes;
  }
}
