package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;

/** The rules for special registers that a VM's owner sets. */
final class VcpuRegisters {
  private static final long CR0_NW = 1L << 29;
  private static final long CR0_CD = 1L << 30;
  private static final long CR0_PG = 1L << 31;
  private static final long CR0_ALWAYS = 0x10;
  private static final long CR4_PAE = 1 << 5;
  private static final long EFER_LME = 1 << 8;
  private static final long EFER_LMA = 1 << 10;
  private static final long EFER_KNOWN = 0xfd01;
  private static final long HIGH = 0xffff_ffff_0000_0000L;

  private VcpuRegisters() {}

  /** arch/x86/kvm/regs.c:__set_sregs, kvm_is_valid_sregs: EINVAL. */
  static void setSpecial(CpuState cpu, MemorySegment sregs) {
    long cr0 = kvm_sregs.cr0(sregs);
    long efer = kvm_sregs.efer(sregs);
    if ((efer & EFER_LME) != 0 && (cr0 & CR0_PG) != 0) {
      refuseIf((kvm_sregs.cr4(sregs) & CR4_PAE) == 0 || (efer & EFER_LMA) == 0, Errno.EINVAL);
    } else {
      refuseIf((efer & EFER_LMA) != 0 || kvm_segment.l(kvm_sregs.cs(sregs)) != 0, Errno.EINVAL);
    }
    refuseIf((kvm_sregs.cr4(sregs) & HIGH) != 0, Errno.EINVAL);
    refuseIf((cr0 & HIGH) != 0, Errno.EINVAL);
    refuseIf((cr0 & CR0_NW) != 0 && (cr0 & CR0_CD) == 0, Errno.EINVAL);
    refuseIf((cr0 & CR0_PG) != 0 && (cr0 & CpuState.CR0_PE) == 0, Errno.EINVAL);
    refuseIf((efer & ~EFER_KNOWN) != 0, Errno.EINVAL);
    MemorySegment special = cpu.special();
    special.copyFrom(sregs.asSlice(0, special.byteSize()));
    kvm_sregs.cr0(special, cr0 | CR0_ALWAYS);
  }
}
