package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.OptionalLong;

/** RDMSR and WRMSR; arch/x86/kvm/msrs.c:__kvm_emulate_rdmsr, __kvm_emulate_wrmsr. */
final class MsrInstructions {
  private static final int HALF = 4;

  private final KvmVcpu vcpu;
  private final CpuState cpu;
  private final Decoder code;
  private boolean waits;
  private boolean reads;
  private long next;

  MsrInstructions(KvmVcpu vcpu, Decoder code) {
    this.vcpu = vcpu;
    cpu = vcpu.cpu();
    this.code = code;
  }

  /** Returns false if the guest exits. */
  boolean read() {
    int index = (int) cpu.get(CpuState.CX);
    if (!vcpu.vm().msrAccess().allows(index, MsrAccess.READ)) {
      return leave(true, index, 0, Kvm.KVM_MSR_EXIT_REASON_FILTER());
    }
    OptionalLong value = vcpu.msrs().getByGuest(index);
    if (value.isEmpty()) {
      return leave(true, index, 0, reason(index));
    }
    put(value.getAsLong());
    cpu.rip = code.next();
    return true;
  }

  /** Returns false if the guest exits. */
  boolean write() {
    int index = (int) cpu.get(CpuState.CX);
    long value = cpu.get(CpuState.DX, HALF) << Integer.SIZE | cpu.get(CpuState.AX, HALF);
    if (!vcpu.vm().msrAccess().allows(index, MsrAccess.WRITE)) {
      return leave(false, index, value, Kvm.KVM_MSR_EXIT_REASON_FILTER());
    }
    if (!vcpu.msrs().setByGuest(index, value)) {
      return leave(false, index, value, reason(index));
    }
    cpu.rip = code.next();
    return true;
  }

  /** arch/x86/kvm/msrs.c:kvm_msr_reason, of an access that failed. */
  private int reason(int index) {
    return MachineChecks.isBankRegister(index) || vcpu.msrs().get(index).isPresent()
        ? Kvm.KVM_MSR_EXIT_REASON_INVAL()
        : Kvm.KVM_MSR_EXIT_REASON_UNKNOWN();
  }

  private void put(long value) {
    cpu.set(CpuState.AX, HALF, value & 0xffff_ffffL);
    cpu.set(CpuState.DX, HALF, value >>> Integer.SIZE);
  }

  /**
   * arch/x86/kvm/msrs.c:kvm_msr_user_space.
   *
   * @throws GuestTrap #GP, unless the VM's owner wants to answer
   */
  private boolean leave(boolean read, int index, long value, int reason) {
    if ((vcpu.vm().settings().msrExits() & reason) == 0) {
      throw GuestTrap.GENERAL_PROTECTION;
    }
    vcpu.run().msr(read, index, value, reason);
    waits = true;
    reads = read;
    next = code.next();
    return false;
  }

  /**
   * arch/x86/kvm/msrs.c:complete_fast_rdmsr, complete_fast_msr_access.
   *
   * @return false if the VM's owner refused it, which is #GP for the guest
   */
  boolean complete() {
    if (!waits) {
      return true;
    }
    waits = false;
    if (vcpu.run().msrFailed()) {
      return false;
    }
    if (reads) {
      put(vcpu.run().msrData());
    }
    cpu.rip = next;
    return true;
  }
}
