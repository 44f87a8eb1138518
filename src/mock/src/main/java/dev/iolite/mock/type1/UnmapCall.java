package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.Range;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_unmap;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** VFIO_IOMMU_UNMAP_DMA (vfio_iommu_type1_unmap_dma, vfio_dma_do_unmap). */
final class UnmapCall {
  private static final int BITMAP = Vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP();
  private static final int ALL = Vfio.VFIO_DMA_UNMAP_FLAG_ALL();
  private static final int ADDRESS = Vfio.VFIO_DMA_UNMAP_FLAG_VADDR();
  private static final long HEAD_BYTES = vfio_iommu_type1_dma_unmap.sizeof();

  private UnmapCall() {}

  static void unmap(Type1 iommu, long argument) {
    Task task = iommu.task();
    MemorySegment unmap = task.in(argument, HEAD_BYTES);
    int flags = vfio_iommu_type1_dma_unmap.flags(unmap);
    long room = Integer.toUnsignedLong(vfio_iommu_type1_dma_unmap.argsz(unmap));
    refuseIf(room < HEAD_BYTES || (flags & ~(BITMAP | ALL | ADDRESS)) != 0, Errno.EINVAL);
    refuseIf((flags & BITMAP) != 0 && (flags & (ALL | ADDRESS)) != 0, Errno.EINVAL);
    long bytes = vfio_iommu_type1_dma_unmap.size(unmap);
    Optional<UserBitmap> bitmap = Optional.empty();
    if ((flags & BITMAP) != 0) {
      refuseIf(room < HEAD_BYTES + vfio_bitmap.sizeof(), Errno.EINVAL);
      bitmap =
          Optional.of(UserBitmap.of(task.in(argument + HEAD_BYTES, vfio_bitmap.sizeof()), bytes));
    }
    Range range = range(iommu, vfio_iommu_type1_dma_unmap.iova(unmap), bytes, flags);
    bitmap.ifPresent(user ->
        refuseIf(!iommu.tracksDirty() || user.pageSize() != iommu.leastPage(), Errno.EINVAL));
    List<DmaMapping> mappings = mappings(iommu, range, (flags & ALL) != 0);
    if ((flags & ADDRESS) != 0) {
      refuseIf(mappings.stream().anyMatch(DmaMapping::isAddressInvalid), Errno.EINVAL);
      mappings.forEach(mapping -> mapping.setAddressInvalid(true));
    } else {
      remove(iommu, mappings, range.first(), bitmap);
    }
    long unmapped = mappings.stream().mapToLong(DmaMapping::bytes).sum();
    vfio_iommu_type1_dma_unmap.size(unmap, unmapped);
    task.out(argument, unmap);
  }

  private static Range range(Type1 iommu, long iova, long bytes, int flags) {
    long pageMask = iommu.leastPage() - 1;
    refuseIf((iova & pageMask) != 0, Errno.EINVAL);
    if ((flags & ALL) != 0) {
      refuseIf(iova != 0 || bytes != 0, Errno.EINVAL);
      return new Range(0, -1);
    }
    refuseIf(bytes == 0 || (bytes & pageMask) != 0, Errno.EINVAL);
    long last = iova + bytes - 1;
    refuseIf(Long.compareUnsigned(last, iova) < 0, Errno.EOVERFLOW);
    return new Range(iova, last);
  }

  /**
   * The mappings to unmap. Version 2 refuses a range that cuts a mapping. Version 1 unmaps nothing
   * if the range begins inside a mapping, and all of a mapping that the range ends in.
   */
  private static List<DmaMapping> mappings(Type1 iommu, Range range, boolean all) {
    List<DmaMapping> mappings = iommu.mappings().in(range.first(), range.last());
    if (all || mappings.isEmpty()) {
      return mappings;
    }
    boolean cutsFirst = Long.compareUnsigned(mappings.getFirst().first, range.first()) < 0;
    boolean cutsLast = Long.compareUnsigned(mappings.getLast().last, range.last()) > 0;
    refuseIf(iommu.isVersion2() && (cutsFirst || cutsLast), Errno.EINVAL);
    return cutsFirst ? List.of() : mappings;
  }

  private static void remove(
      Type1 iommu, List<DmaMapping> mappings, long iova, Optional<UserBitmap> bitmap) {
    for (DmaMapping mapping : mappings) {
      bitmap.ifPresent(user -> user.take(iommu, mapping, iova));
      iommu.mappings().remove(mapping);
    }
  }
}
