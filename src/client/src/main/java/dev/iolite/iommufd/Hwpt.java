package dev.iolite.iommufd;

import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.HwptId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A hardware page table: the mappings of an IOAS in the IOMMU's own format.
 *
 * <p>Attaching a device to an IOAS makes or shares one automatically. Make one explicitly to give
 * it special properties, or as the parent of a guest's page table.
 *
 * <p>Safe for use by several threads.
 */
public final class Hwpt implements AutoCloseable {
  private final Fd iommufd;
  private final HwptId id;
  private final IommufdObject object;

  Hwpt(Fd iommufd, HwptId id) {
    this.iommufd = iommufd;
    this.id = id;
    this.object = new IommufdObject(iommufd, id.value(), id.toString());
  }

  /** Its id, to attach devices to. */
  public HwptId id() {
    return id;
  }

  /**
   * Starts or stops the recording of the pages that devices write, by
   * IOMMU_HWPT_SET_DIRTY_TRACKING. Starting it forgets what was recorded. See
   * drivers/iommu/iommufd/io_pagetable.c:iopt_set_dirty_tracking.
   *
   * @throws dev.iolite.kernel.KernelException EOPNOTSUPP: the page table was made without {@link
   *     HwptFlag#DIRTY_TRACKING}; ENOENT: it is destroyed; otherwise what the IOMMU's driver says
   */
  public void setDirtyTracking(boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = iommu_hwpt_set_dirty_tracking.allocate(arena);
      iommu_hwpt_set_dirty_tracking.size(set, (int) iommu_hwpt_set_dirty_tracking.sizeof());
      iommu_hwpt_set_dirty_tracking.hwpt_id(set, id.value());
      iommu_hwpt_set_dirty_tracking.flags(set, on ? Iommufd.IOMMU_HWPT_DIRTY_TRACKING_ENABLE() : 0);
      iommufd.ioctl(IommufdIoctls.IOMMU_HWPT_SET_DIRTY_TRACKING, set);
    }
  }

  /**
   * Sets the bits of the pages that devices wrote, and forgets them, by
   * IOMMU_HWPT_GET_DIRTY_BITMAP. See drivers/iommu/iommufd/io_pagetable.c:
   * iopt_read_and_clear_dirty_data.
   *
   * <p>While the tracking is off, nothing is recorded, and the call finds no more than what was
   * recorded before. It stops at the first page that is not mapped, which is no error.
   *
   * @param into a bitmap of IOVAs
   * @throws dev.iolite.kernel.KernelException EINVAL: the range is not aligned for the IOMMU;
   *     EOPNOTSUPP: the page table was made without {@link HwptFlag#DIRTY_TRACKING}; ENOENT: it is
   *     destroyed
   */
  public void takeDirty(DirtyBitmap into) {
    dirty(0, into);
  }

  /**
   * Like {@link #takeDirty}, but leaves the pages dirty, which is cheaper if they are about to be
   * unmapped.
   */
  public void peekDirty(DirtyBitmap into) {
    dirty(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR(), into);
  }

  private void dirty(int flags, DirtyBitmap into) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment get = iommu_hwpt_get_dirty_bitmap.allocate(arena);
      iommu_hwpt_get_dirty_bitmap.size(get, (int) iommu_hwpt_get_dirty_bitmap.sizeof());
      iommu_hwpt_get_dirty_bitmap.hwpt_id(get, id.value());
      iommu_hwpt_get_dirty_bitmap.flags(get, flags);
      iommu_hwpt_get_dirty_bitmap.iova(get, into.first());
      iommu_hwpt_get_dirty_bitmap.length(get, into.bytes());
      iommu_hwpt_get_dirty_bitmap.page_size(get, into.pageBytes());
      iommu_hwpt_get_dirty_bitmap.data(get, into.bits().address());
      HeldMemory.during(
          into.bits(), () -> iommufd.ioctl(IommufdIoctls.IOMMU_HWPT_GET_DIRTY_BITMAP, get));
    }
  }

  /**
   * Destroys the page table, by IOMMU_DESTROY. Does nothing if it or its iommufd is already closed.
   * After an error, it still exists and can be closed again. See
   * drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: a device is attached to it, or something was
   *     made from it
   */
  @Override
  public void close() {
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
