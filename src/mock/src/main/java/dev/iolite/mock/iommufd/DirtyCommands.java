package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The commands that tell which pages devices have written (hw_pagetable.c and io_pagetable.c). */
final class DirtyCommands {
  private static final int ENABLE = Iommufd.IOMMU_HWPT_DIRTY_TRACKING_ENABLE();
  private static final int NO_CLEAR = Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR();

  private DirtyCommands() {}

  /** IOMMU_HWPT_SET_DIRTY_TRACKING (iommufd_hwpt_set_dirty_tracking). */
  static void setTracking(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_hwpt_set_dirty_tracking.flags(cmd);
    refuseIf((flags & ~ENABLE) != 0, Errno.EOPNOTSUPP);
    PageTable table =
        ucmd.context()
            .objects()
            .get(iommu_hwpt_set_dirty_tracking.hwpt_id(cmd), HwptPaging.class)
            .table();
    refuseIf(!table.domain().tracksDirty(), Errno.EOPNOTSUPP);
    boolean isOn = (flags & ENABLE) != 0;
    if (isOn) {
      table.forget(0, -1);
    }
    table.setTracking(isOn);
  }

  /** IOMMU_HWPT_GET_DIRTY_BITMAP (iommufd_hwpt_get_dirty_bitmap); sets bits, clears none. */
  static void getBitmap(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_hwpt_get_dirty_bitmap.flags(cmd);
    refuseIf(
        (flags & ~NO_CLEAR) != 0 || iommu_hwpt_get_dirty_bitmap.__reserved(cmd) != 0,
        Errno.EOPNOTSUPP);
    HwptPaging hwpt =
        ucmd.context().objects().get(iommu_hwpt_get_dirty_bitmap.hwpt_id(cmd), HwptPaging.class);
    long first = iommu_hwpt_get_dirty_bitmap.iova(cmd);
    long bytes = iommu_hwpt_get_dirty_bitmap.length(cmd);
    long pageBytes = iommu_hwpt_get_dirty_bitmap.page_size(cmd);
    requireAligned(first, bytes, pageBytes, hwpt.ioas().table().alignment());
    refuseIf(!hwpt.table().domain().tracksDirty(), Errno.EOPNOTSUPP);
    var bitmap =
        new Bitmap(
            ucmd.task(),
            first,
            iommu_hwpt_get_dirty_bitmap.data(cmd),
            Long.numberOfTrailingZeros(pageBytes));
    read(hwpt, first, first + bytes - 1, (flags & NO_CLEAR) == 0, bitmap);
  }

  /** io_pagetable.c:iommufd_check_iova_range. */
  private static void requireAligned(long first, long bytes, long pageBytes, long alignment) {
    refuseIf(bytes == 0, Errno.EINVAL);
    long last = first + bytes - 1;
    refuseIf(compareUnsigned(last, first) < 0, Errno.EOVERFLOW);
    refuseIf(((first | (last + 1)) & (alignment - 1)) != 0, Errno.EINVAL);
    refuseIf(pageBytes == 0, Errno.EINVAL);
    refuseIf(((first | (last + 1)) & (pageBytes - 1)) != 0, Errno.EINVAL);
  }

  /**
   * io_pagetable.c:__iommu_read_and_clear_dirty: continues to the first hole. What ends it is not
   * reported: iommu_read_and_clear_dirty drops the error, and also that of a bitmap that can't be
   * written.
   */
  private static void read(HwptPaging hwpt, long first, long last, boolean clear, Bitmap bitmap) {
    try {
      hwpt.ioas()
          .table()
          .forEachIn(
              first,
              last,
              (area, from, to) -> hwpt.table().dirty().take(from, to, clear, bitmap::set));
    } catch (Refused e) {
      refuseIf(e.errno() != Errno.ENOENT, e.errno());
    }
  }

  /** The caller's bitmap (iova_bitmap.c). */
  private record Bitmap(Task task, long first, long address, int pageShift) {
    void set(long iova) {
      long bit = (iova - first) >>> pageShift;
      long at = address + bit / Byte.SIZE;
      try {
        MemorySegment cell = task.scratch(1);
        task.user().read(at, cell);
        byte value = cell.get(ValueLayout.JAVA_BYTE, 0);
        cell.set(ValueLayout.JAVA_BYTE, 0, (byte) (value | 1 << (bit % Byte.SIZE)));
        task.out(at, cell);
      } catch (Refused e) {
        // As in the kernel, the bit is lost.
        refuseIf(e.errno() != Errno.EFAULT, e.errno());
      }
    }
  }
}
