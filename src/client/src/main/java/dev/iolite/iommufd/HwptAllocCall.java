package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/**
 * IOMMU_HWPT_ALLOC, from an IOAS, a page table or a vIOMMU. See
 * drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_alloc.
 *
 * @param device the device that the page table is for
 * @param from the id of what it is made from
 * @param flags its properties
 * @param faults where its faults go
 */
record HwptAllocCall(DeviceId device, int from, Set<HwptFlag> flags, Optional<FaultQueue> faults) {
  /** A page table that the kernel makes. */
  Optional<HwptId> make(Fd iommufd) {
    try (Arena arena = Arena.ofConfined()) {
      return make(iommufd, arguments(arena));
    }
  }

  /** A page table that the guest makes. */
  Optional<HwptId> make(Fd iommufd, PageTableData data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = arguments(arena);
      MemorySegment struct = data.struct(arena);
      iommu_hwpt_alloc.data_type(alloc, data.type());
      iommu_hwpt_alloc.data_len(alloc, Math.toIntExact(struct.byteSize()));
      iommu_hwpt_alloc.data_uptr(alloc, struct.address());
      return make(iommufd, alloc);
    }
  }

  private MemorySegment arguments(Arena arena) {
    MemorySegment alloc = iommu_hwpt_alloc.allocate(arena);
    iommu_hwpt_alloc.size(alloc, (int) iommu_hwpt_alloc.sizeof());
    int bits = flags.stream().mapToInt(HwptFlag::bit).reduce(0, (a, b) -> a | b);
    faults.ifPresent(queue -> iommu_hwpt_alloc.fault_id(alloc, queue.id()));
    iommu_hwpt_alloc.flags(
        alloc, bits | (faults.isPresent() ? Iommufd.IOMMU_HWPT_FAULT_ID_VALID() : 0));
    iommu_hwpt_alloc.dev_id(alloc, device.value());
    iommu_hwpt_alloc.pt_id(alloc, from);
    return alloc;
  }

  private static Optional<HwptId> make(Fd iommufd, MemorySegment alloc) {
    return iommufd.ioctl(IommufdIoctls.IOMMU_HWPT_ALLOC, alloc, Errno.EOPNOTSUPP) < 0
        ? Optional.empty()
        : Optional.of(new HwptId(iommu_hwpt_alloc.out_hwpt_id(alloc)));
  }
}
