package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap_get;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** VFIO_IOMMU_DIRTY_PAGES (vfio_iommu_type1_dirty_pages). */
final class DirtyCall {
  private static final int START = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START();
  private static final int STOP = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP();
  private static final int GET = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP();
  private static final long HEAD_BYTES = vfio_iommu_type1_dirty_bitmap.sizeof();
  private static final long GET_BYTES = vfio_iommu_type1_dirty_bitmap_get.sizeof();

  private DirtyCall() {}

  static void execute(Type1 iommu, long argument) {
    refuseIf(!iommu.isVersion2(), Errno.EACCES);
    MemorySegment head = iommu.task().in(argument, HEAD_BYTES);
    int flags = vfio_iommu_type1_dirty_bitmap.flags(head);
    long room = Integer.toUnsignedLong(vfio_iommu_type1_dirty_bitmap.argsz(head));
    refuseIf(room < HEAD_BYTES, Errno.EINVAL);
    if (flags == START) {
      start(iommu);
    } else if (flags == STOP) {
      stop(iommu);
    } else if (flags == GET) {
      refuseIf(room - HEAD_BYTES < GET_BYTES, Errno.EINVAL);
      get(iommu, argument + HEAD_BYTES);
    } else {
      throw refused(Errno.EINVAL);
    }
  }

  /** vfio_dma_bitmap_alloc_all. */
  private static void start(Type1 iommu) {
    if (iommu.tracksDirty()) {
      return;
    }
    List<DmaMapping> mappings = iommu.mappings().all();
    long page = iommu.leastPage();
    refuseIf(
        mappings.stream().anyMatch(mapping -> mapping.bytes() / page > DirtyBitmap.MOST_PAGES),
        Errno.EINVAL);
    mappings.forEach(
        mapping -> mapping.setBitmap(Optional.of(new DirtyBitmap(mapping.bytes() / page))));
    iommu.setTracksDirty(true);
  }

  private static void stop(Type1 iommu) {
    iommu.setTracksDirty(false);
    iommu.mappings().all().forEach(mapping -> mapping.setBitmap(Optional.empty()));
  }

  /** Refuses a range that cuts a mapping (vfio_iova_dirty_bitmap). */
  private static void get(Type1 iommu, long address) {
    Task task = iommu.task();
    MemorySegment get = task.in(address, GET_BYTES);
    long first = vfio_iommu_type1_dirty_bitmap_get.iova(get);
    long bytes = vfio_iommu_type1_dirty_bitmap_get.size(get);
    refuseIf(bytes == 0, Errno.EINVAL);
    long last = first + bytes - 1;
    refuseIf(Long.compareUnsigned(last, first) < 0, Errno.EOVERFLOW);
    UserBitmap bitmap = UserBitmap.of(vfio_iommu_type1_dirty_bitmap_get.bitmap(get), bytes);
    long page = iommu.leastPage();
    refuseIf(bitmap.pageSize() != page || ((first | bytes) & (page - 1)) != 0, Errno.EINVAL);
    refuseIf(!iommu.tracksDirty(), Errno.EINVAL);
    List<DmaMapping> mappings = iommu.mappings().in(first, last);
    refuseIf(
        mappings.stream()
            .anyMatch(mapping ->
                Long.compareUnsigned(mapping.first, first) < 0
                    || Long.compareUnsigned(mapping.last, last) > 0),
        Errno.EINVAL);
    mappings.forEach(mapping -> bitmap.take(iommu, mapping, first));
  }
}
