package dev.iolite.vfio;

import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap_get;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The dirty pages of a container, by VFIO_IOMMU_DIRTY_PAGES. Type 1 does not ask the IOMMU: it
 * takes all pinned memory for written, unless a mediated device pins its pages one by one. See
 * drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages.
 *
 * <p>Safe for use by several threads.
 */
public final class Type1DirtyTracking {
  private final Fd fd;

  Type1DirtyTracking(Fd fd) {
    this.fd = fd;
  }

  /**
   * Starts the tracking, if it is off.
   *
   * @throws KernelException ENOMEM: no memory for the bits; EACCES: version 1 cannot
   */
  public void start() {
    simple(Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START());
  }

  /**
   * Stops the tracking, if it is on.
   *
   * @throws KernelException EACCES: version 1 cannot
   */
  public void stop() {
    simple(Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP());
  }

  private void simple(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = vfio_iommu_type1_dirty_bitmap.allocate(arena);
      vfio_iommu_type1_dirty_bitmap.argsz(call, (int) call.byteSize());
      vfio_iommu_type1_dirty_bitmap.flags(call, flags);
      fd.ioctl(VfioIoctls.VFIO_IOMMU_DIRTY_PAGES, call);
    }
  }

  /**
   * Sets the bits of the pages that were written since the last call.
   *
   * @param into a bitmap of whole mappings, with the page size {@link Type1Info#pageBytes}
   * @throws KernelException EINVAL: the tracking is off, the page size is another one, the range
   *     cuts a mapping, or it has more pages than {@link
   *     Type1Capability.DirtyTracking#maxBitmapBytes} has bits
   */
  public void read(DirtyBitmap into) {
    try (Arena arena = Arena.ofConfined()) {
      long head = vfio_iommu_type1_dirty_bitmap.sizeof();
      MemorySegment call =
          arena.allocate(head + vfio_iommu_type1_dirty_bitmap_get.sizeof(), Long.BYTES);
      vfio_iommu_type1_dirty_bitmap.argsz(call, (int) call.byteSize());
      vfio_iommu_type1_dirty_bitmap.flags(call, Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP());
      MemorySegment range = call.asSlice(head);
      vfio_iommu_type1_dirty_bitmap_get.iova(range, into.first());
      vfio_iommu_type1_dirty_bitmap_get.size(range, into.bytes());
      fill(vfio_iommu_type1_dirty_bitmap_get.bitmap(range), into);
      HeldMemory.during(into.bits(), () -> fd.ioctl(VfioIoctls.VFIO_IOMMU_DIRTY_PAGES, call));
    }
  }

  /** Fills a struct vfio_bitmap. */
  static void fill(MemorySegment struct, DirtyBitmap bitmap) {
    vfio_bitmap.pgsize(struct, bitmap.pageBytes());
    vfio_bitmap.size(struct, bitmap.bits().byteSize());
    vfio_bitmap.data(struct, bitmap.bits());
  }
}
