package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * IOMMU_HWPT_INVALIDATE, on a nested page table or a vIOMMU. See
 * drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_invalidate.
 */
final class InvalidateCall {
  private InvalidateCall() {}

  static InvalidationResult make(Fd iommufd, int object, List<? extends Invalidation> requests) {
    if (requests.isEmpty()) {
      return new InvalidationResult(0, Optional.empty());
    }
    Invalidation first = requests.getFirst();
    try (Arena arena = Arena.ofConfined()) {
      long each = first.structBytes();
      MemorySegment entries = arena.allocate(each * requests.size(), Long.BYTES);
      for (int i = 0; i < requests.size(); i++) {
        Invalidation request = requests.get(i);
        if (request.type() != first.type() || request.structBytes() != each) {
          throw new IllegalArgumentException("requests of different kinds in one call");
        }
        request.fill(entries.asSlice(i * each, each));
      }
      return make(iommufd, object, first.type(), entries, requests.size());
    }
  }

  static InvalidationResult make(
      Fd iommufd, int object, int type, MemorySegment entries, int count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = iommu_hwpt_invalidate.allocate(arena);
      iommu_hwpt_invalidate.size(call, (int) iommu_hwpt_invalidate.sizeof());
      iommu_hwpt_invalidate.hwpt_id(call, object);
      iommu_hwpt_invalidate.data_uptr(call, entries.address());
      iommu_hwpt_invalidate.data_type(call, type);
      iommu_hwpt_invalidate.entry_len(call, Math.toIntExact(entries.byteSize() / count));
      iommu_hwpt_invalidate.entry_num(call, count);
      int result =
          (int)
              HeldMemory.during(
                  entries, () -> iommufd.tryIoctl(IommufdIoctls.IOMMU_HWPT_INVALIDATE, call));
      int handled = iommu_hwpt_invalidate.entry_num(call);
      if (result >= 0) {
        return new InvalidationResult(handled, Optional.empty());
      }
      // All of them and an error: the kernel left the count as we gave it, and has done nothing.
      return new InvalidationResult(handled == count ? 0 : handled, Optional.of(Errno.of(-result)));
    }
  }
}
