package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.uapi.vfio.vfio_bitmap;
import java.lang.foreign.MemorySegment;

/**
 * A bitmap of the caller's, with a bit for each page (struct vfio_bitmap).
 *
 * @param pageSize the size of the pages
 * @param address where it is
 */
record UserBitmap(long pageSize, long address) {
  /** DIRTY_BITMAP_SIZE_MAX. */
  private static final long MOST_BYTES = DirtyBitmap.bytes(DirtyBitmap.MOST_PAGES);

  /**
   * Reads the struct, and checks it as vfio_iommu_type1_unmap_dma and vfio_iommu_type1_dirty_pages
   * do (access_ok, verify_bitmap_size).
   *
   * @param bytes of IOVA that the bitmap is for
   * @throws dev.iolite.mock.core.Refused EINVAL: it is not the caller's memory, or too small
   */
  static UserBitmap of(MemorySegment struct, long bytes) {
    long pageSize = vfio_bitmap.pgsize(struct);
    long size = vfio_bitmap.size(struct);
    long address = vfio_bitmap.data(struct).address();
    refuseIf(
        Long.compareUnsigned(size, HostUserMemory.TASK_SIZE) > 0
            || Long.compareUnsigned(address, HostUserMemory.TASK_SIZE - size) > 0,
        Errno.EINVAL);
    long pages = bytes >>> Long.numberOfTrailingZeros(pageSize);
    refuseIf(
        pages == 0
            || size == 0
            || size > MOST_BYTES
            || Long.compareUnsigned(size, DirtyBitmap.bytes(pages)) < 0,
        Errno.EINVAL);
    return new UserBitmap(pageSize, address);
  }

  /**
   * Moves the dirty pages of a mapping into it (update_user_bitmap).
   *
   * @param iova what its first bit is for
   * @throws dev.iolite.mock.core.Refused EFAULT
   */
  void take(Type1 iommu, DmaMapping mapping, long iova) {
    long page = (mapping.first - iova) >>> Long.numberOfTrailingZeros(pageSize);
    mapping.bitmap().orElseThrow().give(iommu.task(), address, page);
  }
}
