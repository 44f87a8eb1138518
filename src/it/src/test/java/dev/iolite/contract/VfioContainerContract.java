package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_GET_DEVICE_FD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_GET_STATUS;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_SET_CONTAINER;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_MAP_DMA;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_UNMAP_DMA;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_SET_IOMMU;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_group_status;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_map;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_unmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;

/** VFIO's older interface: groups, containers, and what is asked of their IOMMU. */
abstract class VfioContainerContract extends VfioContract {
  static final int TYPE1 = Vfio.VFIO_TYPE1_IOMMU();
  static final int TYPE1_V2 = Vfio.VFIO_TYPE1v2_IOMMU();
  static final int MAP_READ = Vfio.VFIO_DMA_MAP_FLAG_READ();
  static final int MAP_BOTH = MAP_READ | Vfio.VFIO_DMA_MAP_FLAG_WRITE();
  static final int UNMAP_EVERYTHING = Vfio.VFIO_DMA_UNMAP_FLAG_ALL();
  static final int VIABLE = Vfio.VFIO_GROUP_FLAGS_VIABLE();
  static final int CONTAINER_SET = Vfio.VFIO_GROUP_FLAGS_CONTAINER_SET();

  private final String address;

  VfioContainerContract(Backend backend, String address) {
    super(backend, address);
    this.address = address;
  }

  /** The file of the device's group. */
  final String groupPath() {
    return "/dev/vfio/" + sysfs.linkName(file("iommu_group")).orElseThrow();
  }

  final int group() {
    return open(groupPath());
  }

  final int container() {
    return open("/dev/vfio/vfio");
  }

  final MemorySegment number(int value) {
    MemorySegment number = zeros(4);
    number.set(ValueLayout.JAVA_INT, 0, value);
    return number;
  }

  final int setContainer(int group, int file) {
    return ioctl(group, VFIO_GROUP_SET_CONTAINER, number(file));
  }

  /** The flags that VFIO_GROUP_GET_STATUS answers. */
  final int status(int group) {
    MemorySegment status = sized(vfio_group_status.layout());
    succeeds(ioctl(group, VFIO_GROUP_GET_STATUS, status));
    return vfio_group_status.flags(status);
  }

  /** A container with the group in it, and an IOMMU of a type. */
  final int containerOf(int group, int type) {
    int container = container();
    succeeds(setContainer(group, container));
    succeeds(ioctl(container, VFIO_SET_IOMMU, type));
    return container;
  }

  /** Opens a device by its name; the result of the call. A device is closed when the case ends. */
  final int openDevice(int group, String name) {
    MemorySegment text = zeros(name.length() + 1L);
    text.setString(0, name);
    int result = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, text);
    return result < 0 ? result : keep(result);
  }

  /** The device, opened through its group. */
  final int device(int group) {
    return succeeds(openDevice(group, address));
  }

  final MemorySegment dmaMapOf(int flags, long iova, long memory, long bytes) {
    MemorySegment map = sized(vfio_iommu_type1_dma_map.layout());
    vfio_iommu_type1_dma_map.flags(map, flags);
    vfio_iommu_type1_dma_map.iova(map, iova);
    vfio_iommu_type1_dma_map.vaddr(map, memory);
    vfio_iommu_type1_dma_map.size(map, bytes);
    return map;
  }

  final int dmaMap(int container, int flags, long iova, long memory, long bytes) {
    return ioctl(container, VFIO_IOMMU_MAP_DMA, dmaMapOf(flags, iova, memory, bytes));
  }

  final MemorySegment dmaUnmapOf(int flags, long iova, long bytes) {
    MemorySegment unmap = sized(vfio_iommu_type1_dma_unmap.layout());
    vfio_iommu_type1_dma_unmap.flags(unmap, flags);
    vfio_iommu_type1_dma_unmap.iova(unmap, iova);
    vfio_iommu_type1_dma_unmap.size(unmap, bytes);
    return unmap;
  }

  final int dmaUnmap(int container, int flags, long iova, long bytes) {
    return ioctl(container, VFIO_IOMMU_UNMAP_DMA, dmaUnmapOf(flags, iova, bytes));
  }

  /** Unmaps, and says how many bytes were mapped. */
  final long dmaUnmapped(int container, int flags, long iova, long bytes) {
    MemorySegment unmap = dmaUnmapOf(flags, iova, bytes);
    succeeds(ioctl(container, VFIO_IOMMU_UNMAP_DMA, unmap));
    return vfio_iommu_type1_dma_unmap.size(unmap);
  }

  /** What VFIO_IOMMU_GET_INFO answers to who has room for all. */
  final MemorySegment info(int container) {
    MemorySegment info = sized(4096);
    succeeds(ioctl(container, VFIO_IOMMU_GET_INFO, info));
    return info;
  }

  /** The capabilities in it, by their ids. */
  static Map<Integer, MemorySegment> capabilities(MemorySegment info) {
    Map<Integer, MemorySegment> found = new TreeMap<>();
    for (int at = vfio_iommu_type1_info.cap_offset(info); at != 0; ) {
      MemorySegment cap = info.asSlice(at);
      found.put((int) vfio_info_cap_header.id(cap), cap);
      at = vfio_info_cap_header.next(cap);
    }
    return found;
  }
}
