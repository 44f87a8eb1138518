package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_debugregs;
import java.lang.foreign.MemorySegment;

/**
 * A vCPU's debug registers.
 *
 * @param dr0 address of breakpoint 0
 * @param dr1 address of breakpoint 1
 * @param dr2 address of breakpoint 2
 * @param dr3 address of breakpoint 3
 * @param dr6 status
 * @param dr7 control
 */
public record DebugRegisters(long dr0, long dr1, long dr2, long dr3, long dr6, long dr7) {

  static DebugRegisters of(MemorySegment regs) {
    return new DebugRegisters(
        kvm_debugregs.db(regs, 0),
        kvm_debugregs.db(regs, 1),
        kvm_debugregs.db(regs, 2),
        kvm_debugregs.db(regs, 3),
        kvm_debugregs.dr6(regs),
        kvm_debugregs.dr7(regs));
  }

  void store(MemorySegment regs) {
    kvm_debugregs.db(regs, 0, dr0);
    kvm_debugregs.db(regs, 1, dr1);
    kvm_debugregs.db(regs, 2, dr2);
    kvm_debugregs.db(regs, 3, dr3);
    kvm_debugregs.dr6(regs, dr6);
    kvm_debugregs.dr7(regs, dr7);
  }
}
