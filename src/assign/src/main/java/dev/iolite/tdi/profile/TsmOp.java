package dev.iolite.tdi.profile;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** IOMMU_VDEVICE_TSM_OP, for which the proposals differ only in the number; the bind also locks. */
final class TsmOp implements Ability.Binds {
  private final TsmCaller caller;
  private final Ioctl command;

  TsmOp(TsmCaller caller, Ioctl command) {
    this.caller = caller;
    this.command = command;
  }

  @Override
  public boolean locks() {
    return true;
  }

  @Override
  public void bind(TdiBinding binding) {
    make(TsmOperation.BIND, binding, Tsm.IOMMU_VDEVICE_TSM_BIND());
  }

  @Override
  public void unbind(TdiBinding binding) {
    make(TsmOperation.UNBIND, binding, Tsm.IOMMU_VDEVICE_TSM_UNBIND());
  }

  private void make(TsmOperation operation, TdiBinding binding, int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment op = iommu_vdevice_tsm_op.allocate(arena);
      iommu_vdevice_tsm_op.size(op, (int) iommu_vdevice_tsm_op.sizeof());
      iommu_vdevice_tsm_op.type(op, type);
      iommu_vdevice_tsm_op.vdevice_id(op, binding.vdeviceId());
      caller.make(operation, binding.iommufd(), command, op);
    }
  }
}
