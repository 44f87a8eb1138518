package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debugregs;
import java.lang.foreign.MemorySegment;

/** A vCPU's debug registers, which trigger nothing in the model, and whether it is stepped. */
final class DebugState {
  static final long DR6_AT_RESET = 0xffff_0ff0L;
  private static final long DR7_AT_RESET = 0x400;
  private static final int BREAKPOINTS = 4;
  private static final long HIGH = 0xffff_ffff_0000_0000L;
  private static final int DB_VECTOR = 1;
  private static final int BP_VECTOR = 3;

  private final long[] addresses = new long[BREAKPOINTS];
  private long dr6 = DR6_AT_RESET;
  private long dr7 = DR7_AT_RESET;
  private int control;

  /** arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_get_debugregs. */
  void store(MemorySegment registers) {
    registers.fill((byte) 0);
    for (int i = 0; i < BREAKPOINTS; i++) {
      kvm_debugregs.db(registers, i, addresses[i]);
    }
    kvm_debugregs.dr6(registers, dr6);
    kvm_debugregs.dr7(registers, dr7);
  }

  /** arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_set_debugregs. */
  void load(MemorySegment registers) {
    refuseIf(kvm_debugregs.flags(registers) != 0, Errno.EINVAL);
    refuseIf((kvm_debugregs.dr6(registers) & HIGH) != 0, Errno.EINVAL);
    refuseIf((kvm_debugregs.dr7(registers) & HIGH) != 0, Errno.EINVAL);
    for (int i = 0; i < BREAKPOINTS; i++) {
      addresses[i] = kvm_debugregs.db(registers, i);
    }
    dr6 = kvm_debugregs.dr6(registers);
    dr7 = kvm_debugregs.dr7(registers);
  }

  long dr7() {
    return dr7;
  }

  /** KVM_SET_GUEST_DEBUG; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_guest_debug. */
  void control(int given, GuestEvents events) {
    int injected = given & (Kvm.KVM_GUESTDBG_INJECT_DB() | Kvm.KVM_GUESTDBG_INJECT_BP());
    if (injected != 0) {
      refuseIf(events.hasException(), Errno.EBUSY);
      events.queueException((injected & Kvm.KVM_GUESTDBG_INJECT_DB()) != 0 ? DB_VECTOR : BP_VECTOR);
    }
    control = (given & Kvm.KVM_GUESTDBG_ENABLE()) != 0 ? given : 0;
  }

  /** Whether each instruction ends with an exit. */
  boolean isStepped() {
    return (control & Kvm.KVM_GUESTDBG_SINGLESTEP()) != 0;
  }
}
