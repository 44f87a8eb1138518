package dev.iolite.mock.tsm;

import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.GuestDeviceCalls;

/** The calls with which a kernel lets a VMM bind interfaces; one class for each proposal. */
public interface TsmProfile {
  /** Its calls on {@code /dev/iommu}. */
  GuestDeviceCalls guestDevices();

  /** Its calls on VFIO's devices. */
  AssignedDeviceCalls assignedDevices();

  /** What its KVM's memory slots have. */
  default DmaBufSlots slots() {
    return DmaBufSlots.none();
  }

  /** The bits that its KVM_CAP_EXIT_HYPERCALL has beyond those of 7.3. */
  default long hypercallExits() {
    return 0;
  }

  /** Linux 7.3: no calls at all. */
  static TsmProfile mainline() {
    return new TsmProfile() {
      @Override
      public GuestDeviceCalls guestDevices() {
        return GuestDeviceCalls.none();
      }

      @Override
      public AssignedDeviceCalls assignedDevices() {
        return AssignedDeviceCalls.none();
      }
    };
  }
}
