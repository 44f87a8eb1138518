package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Puts 16-bit code into memory and a vCPU at its beginning. */
final class MachineCode {
  private MachineCode() {}

  static void put(MemorySegment memory, int... code) {
    for (int i = 0; i < code.length; i++) {
      memory.set(ValueLayout.JAVA_BYTE, i, (byte) code[i]);
    }
  }

  /** Flat real mode, at an address below 64 KiB. */
  static void begin(RawKvm kvm, int vcpu, long gpa) {
    MemorySegment sregs = kvm.allocate(kvm_sregs.sizeof());
    assertThat(kvm.call(vcpu, Kvm.KVM_GET_SREGS(), sregs)).isZero();
    kvm_segment.base(kvm_sregs.cs(sregs), 0);
    kvm_segment.selector(kvm_sregs.cs(sregs), (short) 0);
    for (MemorySegment segment : List.of(kvm_sregs.ds(sregs), kvm_sregs.es(sregs))) {
      kvm_segment.limit(segment, -1);
    }
    assertThat(kvm.call(vcpu, Kvm.KVM_SET_SREGS(), sregs)).isZero();
    MemorySegment regs = kvm.allocate(kvm_regs.sizeof());
    kvm_regs.rip(regs, gpa);
    kvm_regs.rsp(regs, 0x8000);
    kvm_regs.rflags(regs, 2);
    assertThat(kvm.call(vcpu, Kvm.KVM_SET_REGS(), regs)).isZero();
  }
}
