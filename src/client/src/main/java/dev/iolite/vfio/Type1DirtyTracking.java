package dev.iolite.vfio;

import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap_get;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

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
   * @throws KernelException ENOMEM: no memory for the bits
   */
  public void start() {
    simple(Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START());
  }

  /**
   * Stops the tracking, if it is on.
   *
   * @throws KernelException EINVAL: the container's last group has left
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
   * Sets the bits of the pages that were written since the last call. The kernel replaces whole
   * words of the bitmap that it is given, and so gets one of its own; see
   * drivers/vfio/vfio_iommu_type1.c:update_user_bitmap.
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
      add(
          vfio_iommu_type1_dirty_bitmap_get.bitmap(range),
          into,
          () -> fd.ioctl(VfioIoctls.VFIO_IOMMU_DIRTY_PAGES, call));
    }
  }

  /**
   * Makes a call with a struct vfio_bitmap of its own, and adds what it reports to a bitmap; after
   * an error too, as the kernel has forgotten what it reported until then.
   */
  static long add(MemorySegment struct, DirtyBitmap into, LongSupplier call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment words = arena.allocate(into.bits().byteSize(), Long.BYTES);
      vfio_bitmap.pgsize(struct, into.pageBytes());
      vfio_bitmap.size(struct, words.byteSize());
      vfio_bitmap.data(struct, words);
      try {
        return call.getAsLong();
      } finally {
        into.add(words);
      }
    }
  }
}
