package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import java.lang.foreign.MemorySegment;

/** The commands that work on any object, and the one by which a device describes its IOMMU. */
final class ObjectCommands {
  private static final int HW_INFO_FLAGS = Iommufd.IOMMU_HW_INFO_FLAG_INPUT_TYPE();

  private ObjectCommands() {}

  /** IOMMU_DESTROY (main.c:iommufd_destroy). */
  static void destroy(Ucmd ucmd) {
    ucmd.context().objects().destroy(iommu_destroy.id(ucmd.argument()));
  }

  /** IOMMU_GET_HW_INFO (device.c:iommufd_get_hw_info). */
  static void hwInfo(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_hw_info.flags(cmd);
    refuseIf((flags & ~HW_INFO_FLAGS) != 0, Errno.EOPNOTSUPP);
    for (int i = 0; i < iommu_hw_info.__reserved$layout().elementCount(); i++) {
      refuseIf(iommu_hw_info.__reserved(cmd, i) != 0, Errno.EOPNOTSUPP);
    }
    int wanted =
        (flags & HW_INFO_FLAGS) != 0
            ? iommu_hw_info.in_data_type(cmd)
            : Iommufd.IOMMU_HW_INFO_TYPE_DEFAULT();
    IommufdDevice device =
        ucmd.context().objects().get(iommu_hw_info.dev_id(cmd), IommufdDevice.class);
    IommuHwInfo info = device.iommu().hwInfo(device.device(), wanted);
    giveData(ucmd, info.data());
    iommu_hw_info.out_data_type(cmd, info.type());
    iommu_hw_info.data_len(cmd, (int) info.data().byteSize());
    iommu_hw_info.out_capabilities(cmd, capabilities(device));
    iommu_hw_info.out_max_pasid_log2(cmd, (byte) device.device().pasidBits());
    ucmd.respond();
  }

  private static void giveData(Ucmd ucmd, MemorySegment data) {
    long room = Integer.toUnsignedLong(iommu_hw_info.data_len(ucmd.argument()));
    long address = iommu_hw_info.data_uptr(ucmd.argument());
    long copied = Math.min(room, data.byteSize());
    ucmd.task().out(address, data.asSlice(0, copied));
    UserData.clear(ucmd.task(), address + copied, room - copied);
  }

  private static long capabilities(IommufdDevice device) {
    Iommu iommu = device.iommu();
    return (iommu.tracksDirty() ? Iommufd.IOMMU_HW_CAP_DIRTY_TRACKING() : 0)
        | (iommu.hasDeviceTlb(device.device()) ? 0 : Iommufd.IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED());
  }
}
