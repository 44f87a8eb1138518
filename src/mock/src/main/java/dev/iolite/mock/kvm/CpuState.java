package dev.iolite.mock.kvm;

import dev.iolite.mock.core.Alu;
import dev.iolite.uapi.kvm.kvm_dtable;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** A processor's registers. */
final class CpuState implements Alu.Flags {
  static final int AX = 0;
  static final int CX = 1;
  static final int DX = 2;
  static final int BX = 3;
  static final int SP = 4;
  static final int BP = 5;
  static final int SI = 6;
  static final int DI = 7;

  static final int ES = 0;
  static final int CS = 1;
  static final int SS = 2;
  static final int DS = 3;
  static final int FS = 4;
  static final int GS = 5;

  static final long INTERRUPTS = 1 << 9;
  static final long DIRECTION = 1 << 10;
  static final long RESUME = 1 << 16;
  static final long ALWAYS_SET = 2;

  static final long CR0_PE = 1;
  private static final int PDPTRS = 4;
  private static final long CR0_AT_RESET = 0x6000_0010L;
  private static final long APIC_BASE = 0xfee0_0000L;
  private static final long APIC_ENABLED = 1 << 11;
  private static final long APIC_BOOT_PROCESSOR = 1 << 8;

  private final boolean bootProcessor;
  private final long[] general = new long[16];
  private final MemorySegment special = kvm_sregs.allocate(Arena.ofAuto());
  private final MemorySegment pdptrs = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, PDPTRS);

  /** The segments' descriptors in {@link #special}, by their numbers in the machine code. */
  private final MemorySegment[] segments = {
    kvm_sregs.es(special),
    kvm_sregs.cs(special),
    kvm_sregs.ss(special),
    kvm_sregs.ds(special),
    kvm_sregs.fs(special),
    kvm_sregs.gs(special)
  };

  long rip;
  long flags;

  CpuState(boolean bootProcessor) {
    this.bootProcessor = bootProcessor;
    reset();
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_reset, arch/x86/kvm/svm/svm.c:init_vmcb. */
  void reset() {
    Arrays.fill(general, 0);
    general[DX] = 0x600;
    rip = 0xfff0;
    flags = ALWAYS_SET;
    special.fill((byte) 0);
    for (MemorySegment segment : segments) {
      kvm_segment.limit(segment, 0xffff);
      kvm_segment.type(segment, (byte) 3);
      kvm_segment.present(segment, (byte) 1);
      kvm_segment.s(segment, (byte) 1);
    }
    kvm_segment.selector(segments[CS], (short) 0xf000);
    kvm_segment.base(segments[CS], 0xffff_0000L);
    kvm_segment.type(segments[CS], (byte) 10);
    kvm_segment.type(segments[SS], (byte) 2);
    systemSegment(kvm_sregs.ldt(special), 2);
    systemSegment(kvm_sregs.tr(special), 3);
    kvm_dtable.limit(kvm_sregs.gdt(special), (short) 0xffff);
    kvm_dtable.limit(kvm_sregs.idt(special), (short) 0xffff);
    kvm_sregs.cr0(special, CR0_AT_RESET);
    kvm_sregs.apic_base(
        special, APIC_BASE | APIC_ENABLED | (bootProcessor ? APIC_BOOT_PROCESSOR : 0));
  }

  private static void systemSegment(MemorySegment segment, int type) {
    kvm_segment.limit(segment, 0xffff);
    kvm_segment.type(segment, (byte) type);
    kvm_segment.present(segment, (byte) 1);
  }

  /** The whole of a general register; its number is that of the machine code. */
  long get(int register) {
    return general[register];
  }

  void set(int register, long value) {
    general[register] = value;
  }

  /** A register as an operand of 1, 2 or 4 bytes; of one byte, 4 to 7 are the second bytes. */
  long get(int register, int size) {
    return size == 1 && register >= 4
        ? (general[register - 4] >>> 8) & 0xff
        : general[register] & Alu.mask(size);
  }

  void set(int register, int size, long value) {
    switch (size) {
      case 1 -> {
        int shift = register >= 4 ? 8 : 0;
        int whole = register & 3;
        general[whole] = (general[whole] & ~(0xffL << shift)) | ((value & 0xff) << shift);
      }
      case 2 -> general[register] = (general[register] & ~0xffffL) | (value & 0xffff);
      case 4 -> general[register] = value & 0xffff_ffffL;
      default -> general[register] = value;
    }
  }

  @Override
  public boolean flag(long bit) {
    return (flags & bit) != 0;
  }

  @Override
  public void flag(long bit, boolean on) {
    flags = on ? flags | bit : flags & ~bit;
  }

  long base(int segment) {
    return kvm_segment.base(segments[segment]);
  }

  long limit(int segment) {
    return Integer.toUnsignedLong(kvm_segment.limit(segments[segment]));
  }

  int selector(int segment) {
    return Short.toUnsignedInt(kvm_segment.selector(segments[segment]));
  }

  /** Loads a segment register as real mode does: the limit stays. */
  void loadSegment(int segment, int selector) {
    kvm_segment.selector(segments[segment], (short) selector);
    kvm_segment.base(segments[segment], (long) (selector & 0xffff) << 4);
  }

  /** Whether the code is of the kind that the model runs: 16-bit, without paging. */
  boolean runs16BitCode() {
    return !hasPaging() && kvm_segment.db(segments[CS]) == 0 && kvm_segment.l(segments[CS]) == 0;
  }

  boolean hasPaging() {
    return kvm_sregs.cr0(special) >>> 31 != 0;
  }

  boolean protectedMode() {
    return (kvm_sregs.cr0(special) & CR0_PE) != 0;
  }

  /** All of the special registers; live. */
  MemorySegment special() {
    return special;
  }

  /** The pointers of page directories, which PAE paging has; live. */
  MemorySegment pdptrs() {
    return pdptrs;
  }

  /** arch/x86/kvm/regs.c:__get_regs. */
  void store(MemorySegment regs) {
    kvm_regs.rax(regs, general[AX]);
    kvm_regs.rbx(regs, general[BX]);
    kvm_regs.rcx(regs, general[CX]);
    kvm_regs.rdx(regs, general[DX]);
    kvm_regs.rsi(regs, general[SI]);
    kvm_regs.rdi(regs, general[DI]);
    kvm_regs.rsp(regs, general[SP]);
    kvm_regs.rbp(regs, general[BP]);
    kvm_regs.r8(regs, general[8]);
    kvm_regs.r9(regs, general[9]);
    kvm_regs.r10(regs, general[10]);
    kvm_regs.r11(regs, general[11]);
    kvm_regs.r12(regs, general[12]);
    kvm_regs.r13(regs, general[13]);
    kvm_regs.r14(regs, general[14]);
    kvm_regs.r15(regs, general[15]);
    kvm_regs.rip(regs, rip);
    kvm_regs.rflags(regs, flags);
  }

  /** arch/x86/kvm/regs.c:__set_regs. */
  void load(MemorySegment regs) {
    general[AX] = kvm_regs.rax(regs);
    general[BX] = kvm_regs.rbx(regs);
    general[CX] = kvm_regs.rcx(regs);
    general[DX] = kvm_regs.rdx(regs);
    general[SI] = kvm_regs.rsi(regs);
    general[DI] = kvm_regs.rdi(regs);
    general[SP] = kvm_regs.rsp(regs);
    general[BP] = kvm_regs.rbp(regs);
    general[8] = kvm_regs.r8(regs);
    general[9] = kvm_regs.r9(regs);
    general[10] = kvm_regs.r10(regs);
    general[11] = kvm_regs.r11(regs);
    general[12] = kvm_regs.r12(regs);
    general[13] = kvm_regs.r13(regs);
    general[14] = kvm_regs.r14(regs);
    general[15] = kvm_regs.r15(regs);
    rip = kvm_regs.rip(regs);
    flags = kvm_regs.rflags(regs) | ALWAYS_SET;
  }
}
