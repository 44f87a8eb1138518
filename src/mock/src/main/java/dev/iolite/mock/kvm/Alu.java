package dev.iolite.mock.kvm;

/** Arithmetic with its flags, on values of 1, 2 or 4 bytes. */
final class Alu {
  static final int ADD = 0;
  static final int OR = 1;
  static final int ADC = 2;
  static final int SBB = 3;
  static final int AND = 4;
  static final int SUB = 5;
  static final int XOR = 6;
  static final int CMP = 7;

  private final CpuState cpu;

  Alu(CpuState cpu) {
    this.cpu = cpu;
  }

  /** One of the eight operations that the machine code numbers; CMP's result is not stored. */
  long apply(int operation, int size, long left, long right) {
    long carry = cpu.flag(CpuState.CARRY) ? 1 : 0;
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
    long mask = CpuState.mask(size);
    long sum = left + right + carry;
    long result = sum & mask;
    cpu.flag(CpuState.CARRY, sum > mask);
    cpu.flag(CpuState.OVERFLOW, (~(left ^ right) & (left ^ result) & signBit(size)) != 0);
    cpu.flag(CpuState.AUXILIARY, ((left ^ right ^ result) & 0x10) != 0);
    return result(size, result);
  }

  private long subtract(int size, long left, long right, long borrow) {
    long result = (left - right - borrow) & CpuState.mask(size);
    cpu.flag(CpuState.CARRY, left < right + borrow);
    cpu.flag(CpuState.OVERFLOW, ((left ^ right) & (left ^ result) & signBit(size)) != 0);
    cpu.flag(CpuState.AUXILIARY, ((left ^ right ^ result) & 0x10) != 0);
    return result(size, result);
  }

  /** The flags of a logical operation's result. */
  long logic(int size, long result) {
    cpu.flag(CpuState.CARRY, false);
    cpu.flag(CpuState.OVERFLOW, false);
    cpu.flag(CpuState.AUXILIARY, false);
    return result(size, result & CpuState.mask(size));
  }

  /** INC or DEC, which leave the carry flag alone. */
  long step(int size, long value, int by) {
    boolean carry = cpu.flag(CpuState.CARRY);
    long result = by > 0 ? add(size, value, 1, 0) : subtract(size, value, 1, 0);
    cpu.flag(CpuState.CARRY, carry);
    return result;
  }

  private static long signBit(int size) {
    return 1L << (size * Byte.SIZE - 1);
  }

  private long result(int size, long result) {
    cpu.flag(CpuState.ZERO, result == 0);
    cpu.flag(CpuState.SIGN, (result & signBit(size)) != 0);
    cpu.flag(CpuState.PARITY, (Long.bitCount(result & 0xff) & 1) == 0);
    return result;
  }

  /** Whether one of the 16 conditions of the machine code holds. */
  boolean holds(int condition) {
    boolean is =
        switch (condition >> 1) {
          case 0 -> cpu.flag(CpuState.OVERFLOW);
          case 1 -> cpu.flag(CpuState.CARRY);
          case 2 -> cpu.flag(CpuState.ZERO);
          case 3 -> cpu.flag(CpuState.CARRY) || cpu.flag(CpuState.ZERO);
          case 4 -> cpu.flag(CpuState.SIGN);
          case 5 -> cpu.flag(CpuState.PARITY);
          case 6 -> less();
          default -> cpu.flag(CpuState.ZERO) || less();
        };
    return is == ((condition & 1) == 0);
  }

  private boolean less() {
    return cpu.flag(CpuState.SIGN) != cpu.flag(CpuState.OVERFLOW);
  }
}
