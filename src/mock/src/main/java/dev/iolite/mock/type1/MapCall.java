package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Pin;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_map;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** VFIO_IOMMU_MAP_DMA (vfio_iommu_type1_map_dma, vfio_dma_do_map). */
final class MapCall {
  private static final int READ = Vfio.VFIO_DMA_MAP_FLAG_READ();
  private static final int WRITE = Vfio.VFIO_DMA_MAP_FLAG_WRITE();
  private static final int ADDRESS = Vfio.VFIO_DMA_MAP_FLAG_VADDR();

  private MapCall() {}

  static void map(Type1 iommu, long argument) {
    Task task = iommu.task();
    MemorySegment map = task.in(argument, vfio_iommu_type1_dma_map.sizeof());
    int flags = vfio_iommu_type1_dma_map.flags(map);
    long room = Integer.toUnsignedLong(vfio_iommu_type1_dma_map.argsz(map));
    refuseIf(room < map.byteSize() || (flags & ~(READ | WRITE | ADDRESS)) != 0, Errno.EINVAL);
    long first = vfio_iommu_type1_dma_map.iova(map);
    long address = vfio_iommu_type1_dma_map.vaddr(map);
    long bytes = vfio_iommu_type1_dma_map.size(map);
    refuseIf(bytes == 0, Errno.EINVAL);
    long last = first + bytes - 1;
    refuseIf(
        Long.compareUnsigned(last, first) < 0
            || Long.compareUnsigned(address + bytes - 1, address) < 0,
        Errno.EOVERFLOW);
    boolean isMove = (flags & ADDRESS) != 0;
    refuseIf(isMove == ((flags & (READ | WRITE)) != 0), Errno.EINVAL);
    refuseIf(((bytes | first | address) & (iommu.leastPage() - 1)) != 0, Errno.EINVAL);
    Optional<DmaMapping> there = iommu.mappings().find(first, last);
    if (isMove) {
      DmaMapping mapping = there.orElseThrow(() -> refused(Errno.ENOENT));
      refuseIf(
          !mapping.isAddressInvalid() || mapping.first != first || mapping.last != last,
          Errno.EINVAL);
      mapping.moveTo(address);
      return;
    }
    refuseIf(there.isPresent(), Errno.EEXIST);
    refuseIf(iommu.mappings().count() == Type1.MOST_MAPPINGS, Errno.ENOSPC);
    refuseIf(!IovaRanges.contain(iommu.iovas(), first, last), Errno.EINVAL);
    boolean isWritable = (flags & WRITE) != 0;
    Pin pin = task.memory().pinWithRegisters(address, bytes, isWritable, task.descriptors());
    DmaMapping mapping = new DmaMapping(first, last, (flags & READ) != 0, isWritable, address, pin);
    iommu.mappings().add(mapping);
    if (iommu.tracksDirty()) {
      track(iommu, mapping);
    }
  }

  private static void track(Type1 iommu, DmaMapping mapping) {
    long pages = mapping.bytes() / iommu.leastPage();
    if (pages > DirtyBitmap.MOST_PAGES) {
      iommu.mappings().remove(mapping);
      throw refused(Errno.EINVAL);
    }
    mapping.setBitmap(Optional.of(new DirtyBitmap(pages)));
  }
}
