package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * IOMMU_VDEVICE_TSM_OP, which differs between the proposals only in its number.
 *
 * @param beforeLock may refuse the lock that is part of a bind
 */
record OpCommand(AssignedTdis tdis, Consumer<TeeFunction> beforeLock) {
  /** The command, as the ioctl of a proposal. */
  GuestDeviceCalls.Command of(Ioctl ioctl) {
    return new GuestDeviceCalls.Command(ioctl, "vdevice_id", this::execute);
  }

  /**
   * Binds or unbinds.
   *
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP: flags; ENOENT: no such vDEVICE; ENODEV: no VM;
   *     EINVAL: no such type, or a virtual id of more than 32 bits; or an error of the bind
   */
  private int execute(GuestDeviceCalls.Call call) {
    MemorySegment asked = call.argument();
    refuseIf(iommu_vdevice_tsm_op.flags(asked) != 0, Errno.EOPNOTSUPP);
    GuestDevice device = call.guestDevice(iommu_vdevice_tsm_op.vdevice_id(asked));
    tdis.function(device);
    int type = iommu_vdevice_tsm_op.type(asked);
    if (type == Tsm.IOMMU_VDEVICE_TSM_BIND()) {
      // drivers/iommu/iommufd/tsm.c:tsm_bind
      refuseIf(device.virtualId() >>> Integer.SIZE != 0, Errno.EINVAL);
      tdis.bind(device, Optional.of(beforeLock));
    } else if (type == Tsm.IOMMU_VDEVICE_TSM_UNBIND()) {
      tdis.unbind(device);
    } else {
      throw refused(Errno.EINVAL);
    }
    return 0;
  }
}
