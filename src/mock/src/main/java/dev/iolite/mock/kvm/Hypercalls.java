package dev.iolite.mock.kvm;

import dev.iolite.uapi.tsm.Tsm;

/** Numbers from linux/kvm_para.h, which is for guests and has no bindings. */
final class Hypercalls {
  /** KVM_HC_VAPIC_POLL_IRQ, which does nothing and succeeds. */
  static final int VAPIC_POLL_IRQ = 1;

  /** KVM_HC_MAP_GPA_RANGE. */
  static final int MAP_GPA_RANGE = 12;

  /** KVM_MAP_GPA_RANGE_ENCRYPTED. */
  static final long MAP_ENCRYPTED = 1 << 4;

  /** -KVM_ENOSYS. */
  static final long ENOSYS = -1000;

  /** -KVM_EINVAL. */
  static final long EINVAL = -22;

  private Hypercalls() {}

  /** Whether it is one of KVM_HC_TSM_*. */
  static boolean isTsm(long call) {
    return call >= Tsm.KVM_HC_TSM_BIND() && call <= Tsm.KVM_HC_TSM_READ_MEASUREMENTS();
  }
}
