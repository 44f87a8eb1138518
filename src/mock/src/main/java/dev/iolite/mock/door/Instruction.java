package dev.iolite.mock.door;

import java.util.Arrays;
import java.util.Optional;

/**
 * An instruction of a 64-bit x86 program, taken apart as far as the access to its operand in memory
 * needs (Intel SDM, volume 2, chapter 2).
 *
 * @param bytes how long it is
 * @param map which table of operations: 1 (no escape), 2 (0F), 3 (0F 38)
 * @param operation its byte in that table
 * @param prefix the one that selects an operation: 0x66, 0xf2, 0xf3, or 0
 * @param isRepeated whether it has a REP prefix
 * @param operandBytes of an integer operand, unless the operation says 1
 * @param hasRex whether it has a REX prefix: without it, four registers of a byte are others
 * @param vectorBytes the length of a vector if it is encoded as AVX, else 0
 * @param register the operand in a register, or what extends the operation
 * @param second the further register of an AVX instruction
 * @param memory the operand in memory; that of string instructions is implied
 * @param immediate the constant in it, sign-extended
 */
record Instruction(
    int bytes,
    int map,
    int operation,
    int prefix,
    boolean isRepeated,
    int operandBytes,
    boolean hasRex,
    int vectorBytes,
    int register,
    int second,
    Operand memory,
    long immediate) {
  /** The longest there is. */
  static final int MOST_BYTES = 15;

  static final int ONE_BYTE = 1;
  static final int TWO_BYTES = 2;
  static final int THREE_BYTES = 3;

  /** A segment that does not begin at 0. */
  enum Segment {
    NONE,
    FS,
    GS
  }

  /**
   * An operand in memory.
   *
   * @param base a register, {@link #NONE}, or {@link #NEXT}
   * @param index a register, or {@link #NONE}
   * @param isNarrow whether the address is cut to 32 bits
   */
  record Operand(
      Segment segment, int base, int index, int scale, long displacement, boolean isNarrow) {
    /** No register. */
    static final int NONE = -1;

    /** The address of the next instruction. */
    static final int NEXT = -2;

    /** Its address. */
    long address(ThreadRegisters thread, int instructionBytes) {
      long address = displacement;
      if (base == NEXT) {
        address += thread.ip() + instructionBytes;
      } else if (base != NONE) {
        address += thread.get(base);
      }
      if (index != NONE) {
        address += thread.get(index) << scale;
      }
      return thread.base(segment) + (isNarrow ? address & 0xffff_ffffL : address);
    }
  }

  /** Whether it moves what SI and DI point to. */
  boolean isString() {
    return map == ONE_BYTE && InstructionTable.isString(operation);
  }

  boolean isVector() {
    return vectorBytes != 0;
  }

  /**
   * Takes apart the instruction that begins these bytes.
   *
   * @return empty if it has no operand in memory, or is none that is known here
   */
  static Optional<Instruction> decode(byte[] code) {
    try {
      return new InstructionDecoder(Arrays.copyOf(code, Math.min(code.length, MOST_BYTES)))
          .decode();
    } catch (ArrayIndexOutOfBoundsException e) {
      // It goes on where nothing can be read, or is longer than any.
      return Optional.empty();
    }
  }
}
