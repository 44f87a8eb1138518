package dev.iolite.mock.door;

import java.util.Set;

/** Which instructions are known, and how long the constants are that end them. */
final class InstructionTable {
  /** MOV and the arithmetic of integers; A0 to A3 have an address, A4 to AF are strings. */
  private static final Set<Integer> ONE_BYTE =
      Set.of(
          0x63, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2,
          0xa3, 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff);

  /**
   * MOVZX and MOVSX, MOVNTI, CMPXCHG, XADD, the bit tests with a constant, and the moves of
   * vectors.
   */
  private static final Set<Integer> TWO_BYTES =
      Set.of(
          0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x28, 0x29, 0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xb0, 0xb1,
          0xb6, 0xb7, 0xba, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xd6, 0xe7, 0xf0);

  /** MOVNTDQA and MOVBE. */
  private static final Set<Integer> THREE_BYTES = Set.of(0x2a, 0xf0, 0xf1);

  private InstructionTable() {}

  static boolean isKnown(int map, int operation) {
    return switch (map) {
      case Instruction.ONE_BYTE -> isArithmetic(operation) || ONE_BYTE.contains(operation);
      case Instruction.TWO_BYTES ->
          isConditionalMove(operation) || isCondition(operation) || TWO_BYTES.contains(operation);
      case Instruction.THREE_BYTES -> THREE_BYTES.contains(operation);
      default -> false;
    };
  }

  /** The eight operations, between a register and memory in either direction. */
  static boolean isArithmetic(int operation) {
    return operation < 0x40 && (operation & 7) < 4;
  }

  static boolean isConditionalMove(int operation) {
    return (operation & 0xf0) == 0x40;
  }

  static boolean isCondition(int operation) {
    return (operation & 0xf0) == 0x90;
  }

  static boolean isString(int operation) {
    return operation >= 0xa4 && operation <= 0xaf;
  }

  static boolean hasAddress(int operation) {
    return operation >= 0xa0 && operation <= 0xa3;
  }

  /** Whether an operation moves a vector as a whole, whatever its elements are. */
  static boolean isWholeVector(int operation, int prefix) {
    return switch (operation) {
      case 0x6f, 0x7f, 0x28, 0x29, 0x2b, 0xe7 -> true;
      case 0x10, 0x11 -> prefix == 0 || prefix == 0x66;
      default -> false;
    };
  }

  /**
   * How long the constant at the end is.
   *
   * @param extension what extends the operation
   */
  static int immediateBytes(int map, int operation, int extension, int operandBytes) {
    int whole = Math.min(operandBytes, Integer.BYTES);
    if (map == Instruction.ONE_BYTE) {
      return switch (operation) {
        case 0x80, 0x83, 0xc6 -> 1;
        case 0x81, 0xc7 -> whole;
        case 0xf6 -> extension < 2 ? 1 : 0;
        case 0xf7 -> extension < 2 ? whole : 0;
        default -> 0;
      };
    }
    return map == Instruction.TWO_BYTES && operation == 0xba ? 1 : 0;
  }
}
