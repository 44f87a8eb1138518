package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/**
 * How a guest is debugged: the control bits of KVM_SET_GUEST_DEBUG but for the one that enables.
 */
public enum GuestDebugFlag {
  /** Each instruction ends with a debug exit. */
  SINGLE_STEP(Kvm.KVM_GUESTDBG_SINGLESTEP()),
  /** INT3 leaves the guest. */
  SOFTWARE_BREAKPOINTS(Kvm.KVM_GUESTDBG_USE_SW_BP()),
  /** The debug registers are the host's. */
  HARDWARE_BREAKPOINTS(Kvm.KVM_GUESTDBG_USE_HW_BP()),
  /** The guest gets the exception #DB now. */
  INJECT_DB(Kvm.KVM_GUESTDBG_INJECT_DB()),
  /** The guest gets the exception #BP now. */
  INJECT_BP(Kvm.KVM_GUESTDBG_INJECT_BP()),
  /** The guest gets no interrupt while it is stepped through. */
  BLOCK_INTERRUPTS(Kvm.KVM_GUESTDBG_BLOCKIRQ());

  private final int bit;

  GuestDebugFlag(int bit) {
    this.bit = bit;
  }

  int bit() {
    return bit;
  }
}
