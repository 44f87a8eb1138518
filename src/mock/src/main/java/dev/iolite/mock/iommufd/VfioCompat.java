package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_map;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_unmap;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * VFIO's old container calls on {@code /dev/iommu}, which work on the IOAS that IOMMU_VFIO_IOAS set
 * (vfio_compat.c).
 */
final class VfioCompat {
  private static final int READ = Vfio.VFIO_DMA_MAP_FLAG_READ();
  private static final int WRITE = Vfio.VFIO_DMA_MAP_FLAG_WRITE();
  private static final int ALL = Vfio.VFIO_DMA_UNMAP_FLAG_ALL();

  private VfioCompat() {}

  /** iommufd_vfio_ioctl. */
  static int ioctl(IommufdFile context, int request, long argument) {
    if (request == Vfio.VFIO_GET_API_VERSION()) {
      return Vfio.VFIO_API_VERSION();
    } else if (request == Vfio.VFIO_SET_IOMMU()) {
      setIommu(context, argument);
    } else if (request == Vfio.VFIO_CHECK_EXTENSION()) {
      return checkExtension(context, argument);
    } else if (request == Vfio.VFIO_IOMMU_GET_INFO()) {
      VfioCompatInfo.give(context, argument);
    } else if (request == Vfio.VFIO_IOMMU_MAP_DMA()) {
      map(context, argument);
    } else if (request == Vfio.VFIO_IOMMU_UNMAP_DMA()) {
      unmap(context, argument);
    } else {
      throw refused(Errno.ENOTTY);
    }
    return 0;
  }

  /** get_compat_ioas. */
  static IommufdIoas ioas(IommufdFile context) {
    return context.vfioIoas().orElseThrow(() -> refused(Errno.ENODEV));
  }

  /** iommufd_vfio_set_iommu; there are no devices without an IOMMU. */
  private static void setIommu(IommufdFile context, long type) {
    refuseIf(type != Vfio.VFIO_TYPE1_IOMMU() && type != Vfio.VFIO_TYPE1v2_IOMMU(), Errno.EINVAL);
    IommufdIoas ioas = ioas(context);
    if (type == Vfio.VFIO_TYPE1_IOMMU()) {
      ioas.table().disableHugePages();
    }
  }

  /** iommufd_vfio_check_extension. */
  private static int checkExtension(IommufdFile context, long type) {
    if (type == Vfio.VFIO_DMA_CC_IOMMU()) {
      return ioas(context).hwpts().stream().allMatch(HwptPaging::enforcesCoherency) ? 1 : 0;
    }
    boolean isKnown =
        type == Vfio.VFIO_TYPE1_IOMMU()
            || type == Vfio.VFIO_TYPE1v2_IOMMU()
            || type == Vfio.VFIO_UNMAP_ALL()
            || type == Vfio.VFIO_NOIOMMU_IOMMU();
    return isKnown ? 1 : 0;
  }

  /** iommufd_vfio_map_dma. */
  private static void map(IommufdFile context, long argument) {
    Task task = context.process();
    MemorySegment map = task.in(argument, vfio_iommu_type1_dma_map.sizeof());
    int flags = vfio_iommu_type1_dma_map.flags(map);
    refuseIf(
        isShort(vfio_iommu_type1_dma_map.argsz(map), map) || (flags & ~(READ | WRITE)) != 0,
        Errno.EINVAL);
    boolean writable = (flags & WRITE) != 0;
    var wish = new IoPageTable.Wish((flags & READ) != 0, writable, false);
    IoPageTable table = ioas(context).table();
    long bytes = vfio_iommu_type1_dma_map.size(map);
    Piece piece = MapCommands.memory(task, vfio_iommu_type1_dma_map.vaddr(map), bytes, writable);
    table.map(List.of(piece), bytes, vfio_iommu_type1_dma_map.iova(map), wish);
  }

  private static boolean isShort(int argsz, MemorySegment struct) {
    return Integer.toUnsignedLong(argsz) < struct.byteSize();
  }

  /** iommufd_vfio_unmap_dma: reports how much was unmapped even if it then fails. */
  private static void unmap(IommufdFile context, long argument) {
    Task task = context.process();
    MemorySegment unmap = task.in(argument, vfio_iommu_type1_dma_unmap.sizeof());
    int flags = vfio_iommu_type1_dma_unmap.flags(unmap);
    refuseIf(
        isShort(vfio_iommu_type1_dma_unmap.argsz(unmap), unmap) || (flags & ~ALL) != 0,
        Errno.EINVAL);
    IoPageTable table = ioas(context).table();
    long iova = vfio_iommu_type1_dma_unmap.iova(unmap);
    long bytes = vfio_iommu_type1_dma_unmap.size(unmap);
    if ((flags & ALL) != 0) {
      refuseIf(iova != 0 || bytes != 0, Errno.EINVAL);
    } else if (table.isWithoutHugePages()) {
      AreaCutter.cutAfter(table, iova + bytes - 1);
      if (iova != 0) {
        AreaCutter.cutAfter(table, iova - 1);
      }
    }
    try {
      unmap(table, iova, bytes, (flags & ALL) != 0);
      vfio_iommu_type1_dma_unmap.size(unmap, table.unmappedBytes());
    } catch (Refused e) {
      boolean hasBegun = e.errno() == Errno.ENOENT || e.errno() == Errno.EBUSY;
      vfio_iommu_type1_dma_unmap.size(unmap, hasBegun ? table.unmappedBytes() : 0);
      task.out(argument, unmap);
      throw e;
    }
    task.out(argument, unmap);
  }

  private static void unmap(IoPageTable table, long iova, long bytes, boolean all) {
    if (all) {
      table.unmap(0, -1);
    } else {
      MapCommands.unmapRange(table, iova, bytes);
    }
  }
}
