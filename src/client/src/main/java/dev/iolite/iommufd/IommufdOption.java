package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_option;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The two operations of IOMMU_OPTION. See drivers/iommu/iommufd/main.c:iommufd_option. */
final class IommufdOption {
  private IommufdOption() {}

  static long get(Fd iommufd, int option, int object) {
    return call(iommufd, Iommufd.IOMMU_OPTION_OP_GET(), option, object, 0);
  }

  static void set(Fd iommufd, int option, int object, long value) {
    call(iommufd, Iommufd.IOMMU_OPTION_OP_SET(), option, object, value);
  }

  private static long call(Fd iommufd, int operation, int option, int object, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = iommu_option.allocate(arena);
      iommu_option.size(call, (int) iommu_option.sizeof());
      iommu_option.option_id(call, option);
      iommu_option.op(call, (short) operation);
      iommu_option.object_id(call, object);
      iommu_option.val64(call, value);
      iommufd.ioctl(IommufdIoctls.IOMMU_OPTION, call);
      return iommu_option.val64(call);
    }
  }
}
