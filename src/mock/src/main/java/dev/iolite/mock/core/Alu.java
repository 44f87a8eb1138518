package dev.iolite.mock.core;

import dev.iolite.uapi.seccomp.Seccomp;

/** The arithmetic of x86 with its flags, on values of 1, 2, 4 or 8 bytes. */
public final class Alu {
  /** The carry flag. */
  public static final long CARRY = 1L << Seccomp.X86_EFLAGS_CF_BIT();

  /** The parity flag. */
  public static final long PARITY = 1L << Seccomp.X86_EFLAGS_PF_BIT();

  /** The auxiliary carry flag. */
  public static final long AUXILIARY = 1L << Seccomp.X86_EFLAGS_AF_BIT();

  /** The zero flag. */
  public static final long ZERO = 1L << Seccomp.X86_EFLAGS_ZF_BIT();

  /** The sign flag. */
  public static final long SIGN = 1L << Seccomp.X86_EFLAGS_SF_BIT();

  /** The overflow flag. */
  public static final long OVERFLOW = 1L << Seccomp.X86_EFLAGS_OF_BIT();

  /** A processor's flags. */
  public interface Flags {
    /** Whether a flag is set. */
    boolean flag(long flag);

    /** Sets or clears a flag. */
    void flag(long flag, boolean is);
  }

  /** ADD. */
  public static final int ADD = 0;

  /** OR. */
  public static final int OR = 1;

  /** ADC. */
  public static final int ADC = 2;

  /** SBB. */
  public static final int SBB = 3;

  /** AND. */
  public static final int AND = 4;

  /** SUB. */
  public static final int SUB = 5;

  /** XOR. */
  public static final int XOR = 6;

  /** CMP. */
  public static final int CMP = 7;

  private final Flags cpu;

  /** Makes arithmetic that reads and sets these flags. */
  public Alu(Flags cpu) {
    this.cpu = cpu;
  }

  /**
   * Applies one of the eight operations, by its number in machine code; CMP's result is not to be
   * stored.
   */
  public long apply(int operation, int size, long left, long right) {
    long carry = cpu.flag(CARRY) ? 1 : 0;
    return switch (operation) {
      case ADD -> add(size, left, right, 0);
      case ADC -> add(size, left, right, carry);
      case SUB, CMP -> subtract(size, left, right, 0);
      case SBB -> subtract(size, left, right, carry);
      case OR -> logic(size, left | right);
      case AND -> logic(size, left & right);
      default -> logic(size, left ^ right);
    };
  }

  private long add(int size, long left, long right, long carry) {
    long result = (left + right + carry) & mask(size);
    long carried = (left & right) | ((left | right) & ~result);
    cpu.flag(CARRY, (carried & signBit(size)) != 0);
    cpu.flag(OVERFLOW, (~(left ^ right) & (left ^ result) & signBit(size)) != 0);
    cpu.flag(AUXILIARY, ((left ^ right ^ result) & 0x10) != 0);
    return result(size, result);
  }

  private long subtract(int size, long left, long right, long borrow) {
    long result = (left - right - borrow) & mask(size);
    long borrowed = (~left & right) | ((~left | right) & result);
    cpu.flag(CARRY, (borrowed & signBit(size)) != 0);
    cpu.flag(OVERFLOW, ((left ^ right) & (left ^ result) & signBit(size)) != 0);
    cpu.flag(AUXILIARY, ((left ^ right ^ result) & 0x10) != 0);
    return result(size, result);
  }

  /** Sets the flags for the result of a logical operation. */
  public long logic(int size, long result) {
    cpu.flag(CARRY, false);
    cpu.flag(OVERFLOW, false);
    cpu.flag(AUXILIARY, false);
    return result(size, result & mask(size));
  }

  /** INC or DEC, which do not change the carry flag. */
  public long step(int size, long value, int by) {
    boolean carry = cpu.flag(CARRY);
    long result = by > 0 ? add(size, value, 1, 0) : subtract(size, value, 1, 0);
    cpu.flag(CARRY, carry);
    return result;
  }

  /** The bits of an operand of 1, 2, 4 or 8 bytes. */
  public static long mask(int size) {
    return size == Long.BYTES ? -1 : (1L << (size * Byte.SIZE)) - 1;
  }

  private static long signBit(int size) {
    return 1L << (size * Byte.SIZE - 1);
  }

  private long result(int size, long result) {
    cpu.flag(ZERO, result == 0);
    cpu.flag(SIGN, (result & signBit(size)) != 0);
    cpu.flag(PARITY, (Long.bitCount(result & 0xff) & 1) == 0);
    return result;
  }

  /** Whether one of the 16 conditions of machine code holds. */
  public boolean holds(int condition) {
    boolean is =
        switch (condition >> 1) {
          case 0 -> cpu.flag(OVERFLOW);
          case 1 -> cpu.flag(CARRY);
          case 2 -> cpu.flag(ZERO);
          case 3 -> cpu.flag(CARRY) || cpu.flag(ZERO);
          case 4 -> cpu.flag(SIGN);
          case 5 -> cpu.flag(PARITY);
          case 6 -> less();
          default -> cpu.flag(ZERO) || less();
        };
    return is == ((condition & 1) == 0);
  }

  private boolean less() {
    return cpu.flag(SIGN) != cpu.flag(OVERFLOW);
  }
}
