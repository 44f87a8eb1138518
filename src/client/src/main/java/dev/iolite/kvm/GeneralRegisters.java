package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_regs;
import java.lang.foreign.MemorySegment;

/**
 * A vCPU's general registers, 64 bits each.
 *
 * @param rax accumulator
 * @param rbx base
 * @param rcx counter
 * @param rdx data
 * @param rsi source index
 * @param rdi destination index
 * @param rsp stack pointer
 * @param rbp base pointer
 * @param r8 general
 * @param r9 general
 * @param r10 general
 * @param r11 general
 * @param r12 general
 * @param r13 general
 * @param r14 general
 * @param r15 general
 * @param rip where the next instruction is, relative to the code segment
 * @param rflags flags; bit 1 is always set
 */
public record GeneralRegisters(
    long rax,
    long rbx,
    long rcx,
    long rdx,
    long rsi,
    long rdi,
    long rsp,
    long rbp,
    long r8,
    long r9,
    long r10,
    long r11,
    long r12,
    long r13,
    long r14,
    long r15,
    long rip,
    long rflags) {
  private static final long RFLAGS_FIXED = 2;

  /** Every register 0, with the instruction at {@code rip} about to be executed. */
  public static GeneralRegisters at(long rip) {
    return new GeneralRegisters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, rip, RFLAGS_FIXED);
  }

  /** The same with a stack, and an argument in RSI. */
  public GeneralRegisters with(long newRsp, long newRsi) {
    return new GeneralRegisters(
        rax, rbx, rcx, rdx, newRsi, rdi, newRsp, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rip,
        rflags);
  }

  static GeneralRegisters of(MemorySegment regs) {
    return new GeneralRegisters(
        kvm_regs.rax(regs),
        kvm_regs.rbx(regs),
        kvm_regs.rcx(regs),
        kvm_regs.rdx(regs),
        kvm_regs.rsi(regs),
        kvm_regs.rdi(regs),
        kvm_regs.rsp(regs),
        kvm_regs.rbp(regs),
        kvm_regs.r8(regs),
        kvm_regs.r9(regs),
        kvm_regs.r10(regs),
        kvm_regs.r11(regs),
        kvm_regs.r12(regs),
        kvm_regs.r13(regs),
        kvm_regs.r14(regs),
        kvm_regs.r15(regs),
        kvm_regs.rip(regs),
        kvm_regs.rflags(regs));
  }

  void store(MemorySegment regs) {
    kvm_regs.rax(regs, rax);
    kvm_regs.rbx(regs, rbx);
    kvm_regs.rcx(regs, rcx);
    kvm_regs.rdx(regs, rdx);
    kvm_regs.rsi(regs, rsi);
    kvm_regs.rdi(regs, rdi);
    kvm_regs.rsp(regs, rsp);
    kvm_regs.rbp(regs, rbp);
    kvm_regs.r8(regs, r8);
    kvm_regs.r9(regs, r9);
    kvm_regs.r10(regs, r10);
    kvm_regs.r11(regs, r11);
    kvm_regs.r12(regs, r12);
    kvm_regs.r13(regs, r13);
    kvm_regs.r14(regs, r14);
    kvm_regs.r15(regs, r15);
    kvm_regs.rip(regs, rip);
    kvm_regs.rflags(regs, rflags);
  }
}
