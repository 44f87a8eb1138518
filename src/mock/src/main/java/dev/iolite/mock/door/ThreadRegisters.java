package dev.iolite.mock.door;

import dev.iolite.mock.core.Alu;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.pt_regs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Supplier;

/**
 * The registers of a stopped thread, in the layout in which ptrace(2) reads and writes them:
 * NT_PRSTATUS, and NT_X86_XSTATE for the vector registers, which are read only if an instruction
 * needs them.
 */
final class ThreadRegisters implements Alu.Flags {
  /** arch/x86/include/asm/user_64.h: struct user_regs_struct goes on where pt_regs ends. */
  static final long GENERAL_BYTES = 27 * Long.BYTES;

  static final int CX = 1;
  static final int SI = 6;
  static final int DI = 7;

  private static final long FS_BASE = pt_regs.sizeof();
  private static final long GS_BASE = FS_BASE + Long.BYTES;

  /** Offsets of the general registers, in the order in which the machine code numbers them. */
  private static final List<Long> GENERAL =
      List.of(
          pt_regs.rax$offset(),
          pt_regs.rcx$offset(),
          pt_regs.rdx$offset(),
          pt_regs.rbx$offset(),
          pt_regs.rsp$offset(),
          pt_regs.rbp$offset(),
          pt_regs.rsi$offset(),
          pt_regs.rdi$offset(),
          pt_regs.r8$offset(),
          pt_regs.r9$offset(),
          pt_regs.r10$offset(),
          pt_regs.r11$offset(),
          pt_regs.r12$offset(),
          pt_regs.r13$offset(),
          pt_regs.r14$offset(),
          pt_regs.r15$offset());

  private static final long DIRECTION = 1L << Seccomp.X86_EFLAGS_DF_BIT();

  private final MemorySegment general;
  private final Supplier<MemorySegment> readVectors;
  private MemorySegment vectors = MemorySegment.NULL;
  private boolean isVectorSet;

  /**
   * Those of a thread.
   *
   * @param general what NT_PRSTATUS has shown; changed in place
   * @param vectors asks for what NT_X86_XSTATE shows; changed in place
   */
  ThreadRegisters(MemorySegment general, Supplier<MemorySegment> vectors) {
    this.general = general;
    this.readVectors = vectors;
  }

  /** What is to be written back with NT_X86_XSTATE; empty: no vector register has changed. */
  MemorySegment changedVectors() {
    return isVectorSet ? vectors : MemorySegment.NULL;
  }

  long ip() {
    return pt_regs.rip(general);
  }

  void ip(long address) {
    pt_regs.rip(general, address);
  }

  long get(int register) {
    return general.get(ValueLayout.JAVA_LONG, GENERAL.get(register));
  }

  void set(int register, long value) {
    general.set(ValueLayout.JAVA_LONG, GENERAL.get(register), value);
  }

  /**
   * A register as an operand of 1, 2, 4 or 8 bytes.
   *
   * @param hasHighBytes whether 4 to 7 are the second bytes of the first four registers, as in an
   *     instruction of one byte without REX
   */
  long get(int register, int bytes, boolean hasHighBytes) {
    return isHighByte(register, bytes, hasHighBytes)
        ? (get(register - 4) >>> Byte.SIZE) & 0xff
        : get(register) & Alu.mask(bytes);
  }

  /** Sets a register as an operand: 4 bytes clear the upper half, fewer leave the rest alone. */
  void set(int register, int bytes, boolean hasHighBytes, long value) {
    if (isHighByte(register, bytes, hasHighBytes)) {
      int whole = register - 4;
      set(whole, (get(whole) & ~0xff00L) | ((value & 0xff) << Byte.SIZE));
    } else {
      long kept = bytes < Integer.BYTES ? get(register) & ~Alu.mask(bytes) : 0;
      set(register, kept | (value & Alu.mask(bytes)));
    }
  }

  private static boolean isHighByte(int register, int bytes, boolean hasHighBytes) {
    return hasHighBytes && bytes == 1 && register >= 4 && register < 8;
  }

  /** Where the segment begins that a prefix names. */
  long base(Instruction.Segment segment) {
    return switch (segment) {
      case FS -> general.get(ValueLayout.JAVA_LONG, FS_BASE);
      case GS -> general.get(ValueLayout.JAVA_LONG, GS_BASE);
      case NONE -> 0;
    };
  }

  /** Which way string instructions go. */
  boolean goesDown() {
    return flag(DIRECTION);
  }

  @Override
  public boolean flag(long flag) {
    return (pt_regs.eflags(general) & flag) != 0;
  }

  @Override
  public void flag(long flag, boolean is) {
    long flags = pt_regs.eflags(general);
    pt_regs.eflags(general, is ? flags | flag : flags & ~flag);
  }

  /** The lower bytes of a vector register. */
  byte[] vector(int register, int bytes) {
    MemorySegment state = vectors();
    byte[] value = new byte[bytes];
    for (VectorPart part : VectorPart.of(register, state.byteSize())) {
      int count = Math.min(part.bytes(), bytes - part.from());
      if (count > 0) {
        MemorySegment.copy(state, ValueLayout.JAVA_BYTE, part.offset(), value, part.from(), count);
      }
    }
    return value;
  }

  /**
   * Sets the lower bytes of a vector register.
   *
   * @param clearsRest whether the rest becomes 0, as in AVX, or stays, as in SSE
   */
  void vector(int register, byte[] value, boolean clearsRest) {
    MemorySegment state = vectors();
    isVectorSet = true;
    for (VectorPart part : VectorPart.of(register, state.byteSize())) {
      int count = Math.clamp(value.length - part.from(), 0, part.bytes());
      if (count == 0 && !clearsRest) {
        continue;
      }
      if (clearsRest) {
        state.asSlice(part.offset(), part.bytes()).fill((byte) 0);
      }
      MemorySegment.copy(
          value,
          Math.min(part.from(), value.length),
          state,
          ValueLayout.JAVA_BYTE,
          part.offset(),
          count);
      if (count > 0) {
        long used = state.get(ValueLayout.JAVA_LONG, VectorPart.USED);
        state.set(ValueLayout.JAVA_LONG, VectorPart.USED, used | part.feature());
      }
    }
  }

  private MemorySegment vectors() {
    if (vectors.equals(MemorySegment.NULL)) {
      vectors = readVectors.get();
    }
    return vectors;
  }
}
