package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.Range;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_iova_range;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_migration;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_dma_avail;
import dev.iolite.uapi.vfio.vfio_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** VFIO_IOMMU_GET_INFO with its capabilities (vfio_iommu_type1_get_info). */
final class InfoCall {
  private static final long LEAST_BYTES = vfio_iommu_type1_info.iova_pgsizes$offset() + Long.BYTES;
  private static final long INFO_BYTES = vfio_iommu_type1_info.sizeof();
  private static final long MIGRATION_BYTES = vfio_iommu_type1_info_cap_migration.sizeof();
  private static final long AVAIL_BYTES = align(vfio_iommu_type1_info_dma_avail.sizeof());
  private static final long RANGES_BYTES = vfio_iommu_type1_info_cap_iova_range.sizeof();
  private static final long RANGE_BYTES = vfio_iova_range.sizeof();

  private InfoCall() {}

  private static long align(long bytes) {
    return (bytes + Long.BYTES - 1) & -Long.BYTES;
  }

  /** Reports all capabilities, or only their size if the caller has no room for all. */
  static void give(Type1 iommu, long argument) {
    Task task = iommu.task();
    long room = Integer.toUnsignedLong(vfio_iommu_type1_info.argsz(task.in(argument, LEAST_BYTES)));
    refuseIf(room < LEAST_BYTES, Errno.EINVAL);
    MemorySegment capabilities = capabilities(iommu);
    MemorySegment info = task.scratch(INFO_BYTES);
    vfio_iommu_type1_info.argsz(info, (int) room);
    vfio_iommu_type1_info.flags(info, Vfio.VFIO_IOMMU_INFO_PGSIZES() | Vfio.VFIO_IOMMU_INFO_CAPS());
    vfio_iommu_type1_info.iova_pgsizes(info, iommu.pageSizes());
    if (room < INFO_BYTES + capabilities.byteSize()) {
      vfio_iommu_type1_info.argsz(info, (int) (INFO_BYTES + capabilities.byteSize()));
    } else {
      task.out(argument + INFO_BYTES, capabilities);
      vfio_iommu_type1_info.cap_offset(info, (int) INFO_BYTES);
    }
    task.out(argument, info.asSlice(0, Math.min(room, INFO_BYTES)));
  }

  private static MemorySegment capabilities(Type1 iommu) {
    List<Range> ranges = iommu.iovas();
    long rangesAt = MIGRATION_BYTES + AVAIL_BYTES;
    MemorySegment all = iommu.task().scratch(rangesAt + RANGES_BYTES + ranges.size() * RANGE_BYTES);
    migration(iommu, all.asSlice(0, MIGRATION_BYTES));
    available(iommu, all.asSlice(MIGRATION_BYTES, AVAIL_BYTES), rangesAt);
    ranges(ranges, all.asSlice(rangesAt));
    return all;
  }

  /** vfio_iommu_migration_build_caps. */
  private static void migration(Type1 iommu, MemorySegment cap) {
    head(
        vfio_iommu_type1_info_cap_migration.header(cap),
        Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION(),
        MIGRATION_BYTES);
    vfio_iommu_type1_info_cap_migration.pgsize_bitmap(cap, iommu.leastPage());
    vfio_iommu_type1_info_cap_migration.max_dirty_bitmap_size(
        cap, DirtyBitmap.bytes(DirtyBitmap.MOST_PAGES));
  }

  /** vfio_iommu_dma_avail_build_caps. */
  private static void available(Type1 iommu, MemorySegment cap, long next) {
    head(vfio_iommu_type1_info_dma_avail.header(cap), Vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL(), next);
    vfio_iommu_type1_info_dma_avail.avail(cap, Type1.MOST_MAPPINGS - iommu.mappings().count());
  }

  /** vfio_iommu_iova_build_caps. */
  private static void ranges(List<Range> ranges, MemorySegment cap) {
    MemorySegment header = vfio_iommu_type1_info_cap_iova_range.header(cap);
    vfio_info_cap_header.id(header, (short) Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE());
    vfio_info_cap_header.version(header, (short) 1);
    vfio_iommu_type1_info_cap_iova_range.nr_iovas(cap, ranges.size());
    for (int i = 0; i < ranges.size(); i++) {
      MemorySegment range = cap.asSlice(RANGES_BYTES + i * RANGE_BYTES, RANGE_BYTES);
      vfio_iova_range.start(range, ranges.get(i).first());
      vfio_iova_range.end(range, ranges.get(i).last());
    }
  }

  private static void head(MemorySegment header, int id, long next) {
    vfio_info_cap_header.id(header, (short) id);
    vfio_info_cap_header.version(header, (short) 1);
    vfio_info_cap_header.next(header, (int) (INFO_BYTES + next));
  }
}
