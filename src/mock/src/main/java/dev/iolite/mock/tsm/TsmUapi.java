package dev.iolite.mock.tsm;

import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.GuestDeviceCalls;
import java.util.List;

/**
 * The calls with which a kernel lets a VMM bind interfaces, according to one proposal.
 *
 * @param guestDevices its calls on {@code /dev/iommu}
 * @param assignedDevices its calls on VFIO's devices
 * @param slots what its KVM adds to memory slots
 * @param hypercallExits the bits that its KVM_CAP_EXIT_HYPERCALL has beyond those of 7.3
 */
public record TsmUapi(
    GuestDeviceCalls guestDevices,
    AssignedDeviceCalls assignedDevices,
    DmaBufSlots slots,
    long hypercallExits) {
  /** Linux 7.3: no calls at all. */
  static TsmUapi mainline() {
    return new TsmUapi(GuestDeviceCalls.none(), AssignedDeviceCalls.none(), DmaBufSlots.none(), 0);
  }

  /** A proposal with calls on {@code /dev/iommu} only. */
  static TsmUapi of(AssignedTdis tdis, List<GuestDeviceCalls.Command> commands) {
    return new TsmUapi(
        VdeviceCalls.of(tdis, commands), new NotedDevices(tdis), DmaBufSlots.none(), 0);
  }
}
