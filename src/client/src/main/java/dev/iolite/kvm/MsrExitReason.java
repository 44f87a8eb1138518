package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/** Why an access to a model-specific register leaves the guest: KVM_MSR_EXIT_REASON_. */
public enum MsrExitReason {
  /** The access is invalid, such as a reserved bit. */
  INVALID(Kvm.KVM_MSR_EXIT_REASON_INVAL()),
  /** KVM does not know the register. */
  UNKNOWN(Kvm.KVM_MSR_EXIT_REASON_UNKNOWN()),
  /** The filter denies it. */
  FILTER(Kvm.KVM_MSR_EXIT_REASON_FILTER());

  private final int bit;

  MsrExitReason(int bit) {
    this.bit = bit;
  }

  int bit() {
    return bit;
  }
}
