package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/** Whether a vCPU runs, halts, or waits to be started: the KVM_MP_STATE_ numbers of x86. */
public enum MpState {
  /** It runs. */
  RUNNABLE(Kvm.KVM_MP_STATE_RUNNABLE()),
  /** An application processor that waits for INIT. */
  UNINITIALIZED(Kvm.KVM_MP_STATE_UNINITIALIZED()),
  /** It got INIT and waits for SIPI. */
  INIT_RECEIVED(Kvm.KVM_MP_STATE_INIT_RECEIVED()),
  /** It executed HLT and waits for an interrupt. */
  HALTED(Kvm.KVM_MP_STATE_HALTED()),
  /** It just got SIPI. */
  SIPI_RECEIVED(Kvm.KVM_MP_STATE_SIPI_RECEIVED()),
  /** An SEV-ES guest's processor that waits to be started. */
  AP_RESET_HOLD(Kvm.KVM_MP_STATE_AP_RESET_HOLD());

  private final int number;

  MpState(int number) {
    this.number = number;
  }

  /** The number in struct kvm_mp_state. */
  public int number() {
    return number;
  }

  static MpState of(int number) {
    for (MpState state : values()) {
      if (state.number == number) {
        return state;
      }
    }
    throw new IllegalArgumentException("no KVM_MP_STATE_ of x86: " + number);
  }
}
