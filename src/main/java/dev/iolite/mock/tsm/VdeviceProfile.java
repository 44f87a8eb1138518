package dev.iolite.mock.tsm;

import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_op;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** A proposal whose calls name a vDEVICE; destroying that unbinds it. */
abstract class VdeviceProfile implements TsmProfile, GuestDeviceCalls {
  private final AssignedTdis tdis;

  VdeviceProfile(AssignedTdis tdis) {
    this.tdis = tdis;
  }

  final AssignedTdis tdis() {
    return tdis;
  }

  /**
   * The command that binds and unbinds. The proposals that have it differ only in its number.
   *
   * @param beforeLock refuses a lock that may not be
   */
  final Command bindOrUnbind(int number, Consumer<TeeFunction> beforeLock) {
    return new Command(
        number,
        iommu_vdevice_tsm_op.layout(),
        "vdevice_id",
        call -> {
          MemorySegment asked = call.argument();
          return tdis.operate(
              call,
              iommu_vdevice_tsm_op.flags(asked),
              iommu_vdevice_tsm_op.vdevice_id(asked),
              iommu_vdevice_tsm_op.type(asked),
              beforeLock);
        });
  }

  @Override
  public final GuestDeviceCalls guestDevices() {
    return this;
  }

  @Override
  public AssignedDeviceCalls assignedDevices() {
    return new NotedDevices(tdis);
  }

  @Override
  public void added(GuestDevice device) {}

  @Override
  public final void removed(GuestDevice device) {
    tdis.unbind(device);
  }
}
