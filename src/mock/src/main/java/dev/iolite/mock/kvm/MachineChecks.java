package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_x86_mce;
import java.lang.foreign.MemorySegment;

/** A vCPU's banks of machine checks. */
final class MachineChecks {
  /** arch/x86/include/asm/kvm_host.h: KVM_MAX_MCE_BANKS. */
  static final int MOST_BANKS = 32;

  /** The first register of the first bank. */
  static final int MC0_CTL = 0x400;

  private static final int MC0_CTL2 = 0x280;

  private static final long MCG_CTL_P = 1 << 8;
  private static final long MCG_SER_P = 1 << 24;

  /** kvm_caps.supported_mce_cap of an AMD machine. */
  static final long FEATURES = MCG_CTL_P | MCG_SER_P;

  /** The banks' number, and that of the registers of a threshold. */
  private static final long COUNTS = 0xff | 0xff0000;

  private static final int CTL = 0;
  private static final int STATUS = 1;
  private static final int ADDRESS = 2;
  private static final int MISC = 3;
  private static final int REGISTERS = 4;

  private static final long VALID = 1L << 63;
  private static final long OVERFLOW = 1L << 62;
  private static final long UNCORRECTED = 1L << 61;
  private static final long CONTEXT_CORRUPT = 1L << 57;
  private static final long SIGNALLED = 1L << 56;
  private static final long ACTION_REQUIRED = 1L << 55;
  private static final long IN_PROGRESS = 1 << 2;
  private static final long CR4_MCE = 1 << 6;
  private static final int MC_VECTOR = 18;

  private final CpuState cpu;
  private final GuestEvents events;

  /** arch/x86/kvm/x86.c:kvm_arch_vcpu_create. */
  private long cap = MOST_BANKS;

  private long status;
  private long control;
  private final long[] banks = new long[MOST_BANKS * REGISTERS];

  MachineChecks(CpuState cpu, GuestEvents events) {
    this.cpu = cpu;
    this.events = events;
  }

  /** KVM_X86_SETUP_MCE; arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_setup_mce. */
  void setUp(long features) {
    int count = (int) (features & 0xff);
    refuseIf(count == 0 || count > MOST_BANKS, Errno.EINVAL);
    refuseIf((features & ~(FEATURES | COUNTS)) != 0, Errno.EINVAL);
    cap = features;
    if ((features & MCG_CTL_P) != 0) {
      control = -1;
    }
    for (int bank = 0; bank < count; bank++) {
      banks[bank * REGISTERS + CTL] = -1;
    }
  }

  /** KVM_X86_SET_MCE; arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_mce. */
  void raise(MemorySegment check) {
    int bank = Byte.toUnsignedInt(kvm_x86_mce.bank(check));
    long raised = kvm_x86_mce.status(check);
    refuseIf(bank >= (cap & 0xff) || (raised & VALID) == 0, Errno.EINVAL);
    int at = bank * REGISTERS;
    boolean uncorrected = (raised & UNCORRECTED) != 0;
    if (uncorrected && needsNoAction(check)) {
      record(at, check, raised);
      status = 0;
      return;
    }
    if (uncorrected && (((cap & MCG_CTL_P) != 0 && control != -1) || banks[at + CTL] != -1)) {
      return;
    }
    boolean overflow = (banks[at + STATUS] & VALID) != 0;
    if (uncorrected) {
      if ((status & IN_PROGRESS) != 0 || (kvm_sregs.cr4(cpu.special()) & CR4_MCE) == 0) {
        events.raiseTripleFault();
        return;
      }
      status = kvm_x86_mce.mcg_status(check);
      record(at, check, overflow ? raised | OVERFLOW : raised);
      events.queueException(MC_VECTOR);
    } else if (!overflow || (banks[at + STATUS] & UNCORRECTED) == 0) {
      record(at, check, overflow ? raised | OVERFLOW : raised);
    } else {
      banks[at + STATUS] |= OVERFLOW;
    }
  }

  /** arch/x86/kvm/x86.c:is_ucna. */
  private static boolean needsNoAction(MemorySegment check) {
    long raised = kvm_x86_mce.status(check);
    return kvm_x86_mce.mcg_status(check) == 0
        && (raised & (CONTEXT_CORRUPT | SIGNALLED | ACTION_REQUIRED)) == 0;
  }

  private void record(int at, MemorySegment check, long recorded) {
    banks[at + STATUS] = recorded;
    banks[at + ADDRESS] = kvm_x86_mce.addr(check);
    banks[at + MISC] = kvm_x86_mce.misc(check);
  }

  /** Whether an MSR is a bank's, even if there is no such bank. */
  static boolean isBankRegister(int msr) {
    return (msr >= MC0_CTL && msr < MC0_CTL + MOST_BANKS * REGISTERS)
        || (msr >= MC0_CTL2 && msr < MC0_CTL2 + MOST_BANKS);
  }

  /** IA32_MCG_CAP. */
  long cap() {
    return cap;
  }

  /** IA32_MCG_STATUS. */
  long status() {
    return status;
  }

  /** IA32_MCG_CTL; -1 is all ones. */
  long control() {
    return control;
  }

  boolean hasControl() {
    return (cap & MCG_CTL_P) != 0;
  }

  /** Whether there is such a register of a bank. */
  boolean hasBankRegister(int index) {
    return index >= 0 && index < (cap & 0xff) * REGISTERS;
  }

  boolean isBankStatus(int index) {
    return hasBankRegister(index) && index % REGISTERS == STATUS;
  }

  long bankRegister(int index) {
    return banks[index];
  }

  /** arch/x86/kvm/msrs.c:set_msr_mce: the control is all ones or all zeros; others can be 0. */
  boolean setBankRegister(int index, long value) {
    boolean isControl = index % REGISTERS == CTL;
    if (isControl && value != 0 && (value | 1 << 10 | 1) != -1) {
      return false;
    }
    banks[index] = value;
    return true;
  }

  void setStatus(long value) {
    status = value;
  }

  /** Returns whether it can have that value. */
  boolean setControl(long value) {
    if (value != 0 && value != -1) {
      return false;
    }
    control = value;
    return true;
  }
}
