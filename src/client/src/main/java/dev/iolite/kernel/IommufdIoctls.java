package dev.iolite.kernel;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_noiommu_get_pa;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import java.lang.foreign.MemoryLayout;
import java.util.List;

/**
 * Every command of {@code linux/iommufd.h}, in the order of their numbers. Each takes a struct
 * whose first field is its own size.
 *
 * <p>drivers/iommu/iommufd/main.c:iommufd_ioctl_ops
 */
public final class IommufdIoctls {
  /** Destroys an object of the iommufd. */
  public static final Ioctl IOMMU_DESTROY =
      of("IOMMU_DESTROY", Iommufd.IOMMU_DESTROY(), iommu_destroy.layout());

  /** Makes an I/O address space. */
  public static final Ioctl IOMMU_IOAS_ALLOC =
      of("IOMMU_IOAS_ALLOC", Iommufd.IOMMU_IOAS_ALLOC(), iommu_ioas_alloc.layout());

  /** Keeps ranges of IOVA free of reservations. */
  public static final Ioctl IOMMU_IOAS_ALLOW_IOVAS =
      of(
          "IOMMU_IOAS_ALLOW_IOVAS",
          Iommufd.IOMMU_IOAS_ALLOW_IOVAS(),
          iommu_ioas_allow_iovas.layout());

  /** Maps what another IOAS has mapped. */
  public static final Ioctl IOMMU_IOAS_COPY =
      of("IOMMU_IOAS_COPY", Iommufd.IOMMU_IOAS_COPY(), iommu_ioas_copy.layout());

  /** Reads which IOVAs may be mapped. */
  public static final Ioctl IOMMU_IOAS_IOVA_RANGES =
      of(
          "IOMMU_IOAS_IOVA_RANGES",
          Iommufd.IOMMU_IOAS_IOVA_RANGES(),
          iommu_ioas_iova_ranges.layout());

  /** Maps memory of this process. */
  public static final Ioctl IOMMU_IOAS_MAP =
      of("IOMMU_IOAS_MAP", Iommufd.IOMMU_IOAS_MAP(), iommu_ioas_map.layout());

  /** Unmaps whole mappings. */
  public static final Ioctl IOMMU_IOAS_UNMAP =
      of("IOMMU_IOAS_UNMAP", Iommufd.IOMMU_IOAS_UNMAP(), iommu_ioas_unmap.layout());

  /** Reads or sets an option. */
  public static final Ioctl IOMMU_OPTION =
      of("IOMMU_OPTION", Iommufd.IOMMU_OPTION(), iommu_option.layout());

  /** Reads or sets the IOAS of the old VFIO container calls. */
  public static final Ioctl IOMMU_VFIO_IOAS =
      of("IOMMU_VFIO_IOAS", Iommufd.IOMMU_VFIO_IOAS(), iommu_vfio_ioas.layout());

  /** Makes a hardware page table. */
  public static final Ioctl IOMMU_HWPT_ALLOC =
      of("IOMMU_HWPT_ALLOC", Iommufd.IOMMU_HWPT_ALLOC(), iommu_hwpt_alloc.layout());

  /** Reads what the IOMMU of a device can do. */
  public static final Ioctl IOMMU_GET_HW_INFO =
      of("IOMMU_GET_HW_INFO", Iommufd.IOMMU_GET_HW_INFO(), iommu_hw_info.layout());

  /** Switches dirty tracking of a page table on or off. */
  public static final Ioctl IOMMU_HWPT_SET_DIRTY_TRACKING =
      of(
          "IOMMU_HWPT_SET_DIRTY_TRACKING",
          Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING(),
          iommu_hwpt_set_dirty_tracking.layout());

  /** Reads and clears the dirty bits of a page table. */
  public static final Ioctl IOMMU_HWPT_GET_DIRTY_BITMAP =
      of(
          "IOMMU_HWPT_GET_DIRTY_BITMAP",
          Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP(),
          iommu_hwpt_get_dirty_bitmap.layout());

  /** Invalidates cached entries of a nested page table. */
  public static final Ioctl IOMMU_HWPT_INVALIDATE =
      of("IOMMU_HWPT_INVALIDATE", Iommufd.IOMMU_HWPT_INVALIDATE(), iommu_hwpt_invalidate.layout());

  /** Makes a queue of I/O page faults; its descriptor is in the struct. */
  public static final Ioctl IOMMU_FAULT_QUEUE_ALLOC =
      of("IOMMU_FAULT_QUEUE_ALLOC", Iommufd.IOMMU_FAULT_QUEUE_ALLOC(), iommu_fault_alloc.layout());

  /** Maps a memfd or a dma-buf. */
  public static final Ioctl IOMMU_IOAS_MAP_FILE =
      of("IOMMU_IOAS_MAP_FILE", Iommufd.IOMMU_IOAS_MAP_FILE(), iommu_ioas_map_file.layout());

  /** Makes a virtual IOMMU. */
  public static final Ioctl IOMMU_VIOMMU_ALLOC =
      of("IOMMU_VIOMMU_ALLOC", Iommufd.IOMMU_VIOMMU_ALLOC(), iommu_viommu_alloc.layout());

  /** Makes a device of a virtual IOMMU. */
  public static final Ioctl IOMMU_VDEVICE_ALLOC =
      of("IOMMU_VDEVICE_ALLOC", Iommufd.IOMMU_VDEVICE_ALLOC(), iommu_vdevice_alloc.layout());

  /** Charges the pinned memory to the calling process. */
  public static final Ioctl IOMMU_IOAS_CHANGE_PROCESS =
      of(
          "IOMMU_IOAS_CHANGE_PROCESS",
          Iommufd.IOMMU_IOAS_CHANGE_PROCESS(),
          iommu_ioas_change_process.layout());

  /** Makes a queue of a virtual IOMMU's events; its descriptor is in the struct. */
  public static final Ioctl IOMMU_VEVENTQ_ALLOC =
      of("IOMMU_VEVENTQ_ALLOC", Iommufd.IOMMU_VEVENTQ_ALLOC(), iommu_veventq_alloc.layout());

  /** Gives a virtual IOMMU a hardware queue. */
  public static final Ioctl IOMMU_HW_QUEUE_ALLOC =
      of("IOMMU_HW_QUEUE_ALLOC", Iommufd.IOMMU_HW_QUEUE_ALLOC(), iommu_hw_queue_alloc.layout());

  /** Reads a physical address, for devices without an IOMMU. */
  public static final Ioctl IOMMU_IOAS_NOIOMMU_GET_PA =
      of(
          "IOMMU_IOAS_NOIOMMU_GET_PA",
          Iommufd.IOMMU_IOAS_NOIOMMU_GET_PA(),
          iommu_ioas_noiommu_get_pa.layout());

  private IommufdIoctls() {}

  /** All of them. */
  public static List<Ioctl> all() {
    return List.of(
        IOMMU_DESTROY,
        IOMMU_IOAS_ALLOC,
        IOMMU_IOAS_ALLOW_IOVAS,
        IOMMU_IOAS_COPY,
        IOMMU_IOAS_IOVA_RANGES,
        IOMMU_IOAS_MAP,
        IOMMU_IOAS_UNMAP,
        IOMMU_OPTION,
        IOMMU_VFIO_IOAS,
        IOMMU_HWPT_ALLOC,
        IOMMU_GET_HW_INFO,
        IOMMU_HWPT_SET_DIRTY_TRACKING,
        IOMMU_HWPT_GET_DIRTY_BITMAP,
        IOMMU_HWPT_INVALIDATE,
        IOMMU_FAULT_QUEUE_ALLOC,
        IOMMU_IOAS_MAP_FILE,
        IOMMU_VIOMMU_ALLOC,
        IOMMU_VDEVICE_ALLOC,
        IOMMU_IOAS_CHANGE_PROCESS,
        IOMMU_VEVENTQ_ALLOC,
        IOMMU_HW_QUEUE_ALLOC,
        IOMMU_IOAS_NOIOMMU_GET_PA);
  }

  private static Ioctl of(String name, int number, MemoryLayout argument) {
    return Ioctl.of(FdKind.IOMMUFD, name, number, argument);
  }
}
