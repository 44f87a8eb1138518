package dev.iolite.tdi.profile;

import dev.iolite.iommufd.VdeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** IOMMU_VDEVICE_TSM_OP; the proposals differ only in its number. */
final class TsmOpCall {
  private final TsmCaller caller;
  private final Ioctl command;

  TsmOpCall(TsmCaller caller, int number) {
    this.caller = caller;
    this.command =
        Ioctl.of(FdKind.IOMMUFD, "IOMMU_VDEVICE_TSM_OP", number, iommu_vdevice_tsm_op.layout())
            .reportingInterrupts();
  }

  Ioctl command() {
    return command;
  }

  void bind(Fd iommufd, VdeviceId vdevice) {
    make(TsmOperation.BIND, TsmV6.IOMMU_VDEVICE_TSM_BIND(), iommufd, vdevice);
  }

  void unbind(Fd iommufd, VdeviceId vdevice) {
    make(TsmOperation.UNBIND, TsmV6.IOMMU_VDEVICE_TSM_UNBIND(), iommufd, vdevice);
  }

  private void make(TsmOperation operation, int type, Fd iommufd, VdeviceId vdevice) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment op = iommu_vdevice_tsm_op.allocate(arena);
      iommu_vdevice_tsm_op.size(op, (int) iommu_vdevice_tsm_op.sizeof());
      iommu_vdevice_tsm_op.type(op, type);
      iommu_vdevice_tsm_op.vdevice_id(op, vdevice.value());
      caller.make(operation, iommufd, command, op);
    }
  }
}
