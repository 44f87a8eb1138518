package dev.iolite.mock.door;

import dev.iolite.mock.door.Instruction.Operand;
import dev.iolite.mock.door.Instruction.Segment;
import java.util.Optional;

/** Reads the bytes of one instruction. */
final class InstructionDecoder {
  private static final int REX_W = 8;
  private static final int REX_R = 4;
  private static final int REX_X = 2;
  private static final int REX_B = 1;
  private static final int NO_INDEX = 4;
  private static final int HAS_SIB = 4;
  private static final int NO_BASE = 5;
  private static final int HIGH = 8;
  private static final int XMM_BYTES = 16;

  private final byte[] code;
  private int at;
  private boolean isWord;
  private boolean isNarrow;
  private int repeat;
  private Segment segment = Segment.NONE;
  private int rex;
  private boolean hasRex;
  private int map = Instruction.ONE_BYTE;
  private int prefix;
  private int vectorBytes;
  private int second;

  /** EVEX: a register has another bit, and a short displacement counts vectors. */
  private int registerHigh;

  private boolean countsVectors;

  InstructionDecoder(byte[] code) {
    this.code = code;
  }

  private int next() {
    return code[at++] & 0xff;
  }

  private long signed(int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (long) next() << (i * Byte.SIZE);
    }
    int unused = Long.SIZE - bytes * Byte.SIZE;
    return value << unused >> unused;
  }

  Optional<Instruction> decode() {
    int operation = prefixes();
    if (operation == 0xc5 || operation == 0xc4 || operation == 0x62) {
      if (!vectorPrefix(operation)) {
        return Optional.empty();
      }
      operation = next();
    } else {
      if ((operation & 0xf0) == 0x40) {
        hasRex = true;
        rex = operation & 0xf;
        operation = next();
      }
      if (operation == 0x0f) {
        operation = next();
        map = Instruction.TWO_BYTES;
        if (operation == 0x38) {
          operation = next();
          map = Instruction.THREE_BYTES;
        }
      }
      prefix = repeat != 0 ? repeat : isWord ? 0x66 : 0;
    }
    if (!InstructionTable.isKnown(map, operation)) {
      return Optional.empty();
    }
    if (map == Instruction.ONE_BYTE && InstructionTable.isString(operation)) {
      return Optional.of(made(operation, 0, new Operand(segment, 0, 0, 0, 0, isNarrow), 0));
    }
    if (map == Instruction.ONE_BYTE && InstructionTable.hasAddress(operation)) {
      long address = isNarrow ? signed(Integer.BYTES) & 0xffff_ffffL : signed(Long.BYTES);
      Operand memory = new Operand(segment, Operand.NONE, Operand.NONE, 0, address, isNarrow);
      return Optional.of(made(operation, 0, memory, 0));
    }
    int mod = next();
    int register = ((mod >> 3) & 7) | ((rex & REX_R) != 0 ? HIGH : 0) | registerHigh;
    if (mod >= 0xc0) {
      return Optional.empty();
    }
    Operand memory = memory(mod >> 6, mod & 7);
    int constant = InstructionTable.immediateBytes(map, operation, register & 7, operandBytes());
    return Optional.of(made(operation, register, memory, signed(constant)));
  }

  private Instruction made(int operation, int register, Operand memory, long immediate) {
    return new Instruction(
        at,
        map,
        operation,
        prefix,
        repeat != 0,
        operandBytes(),
        hasRex,
        vectorBytes,
        register,
        second,
        memory,
        immediate);
  }

  private int operandBytes() {
    return (rex & REX_W) != 0 ? Long.BYTES : isWord ? Short.BYTES : Integer.BYTES;
  }

  /** Reads the legacy prefixes; returns what follows. A LOCK changes nothing here. */
  private int prefixes() {
    while (true) {
      int one = next();
      switch (one) {
        case 0x66 -> isWord = true;
        case 0x67 -> isNarrow = true;
        case 0xf2, 0xf3 -> repeat = one;
        case 0x64 -> segment = Segment.FS;
        case 0x65 -> segment = Segment.GS;
        case 0xf0, 0x26, 0x2e, 0x36, 0x3e -> {}
        default -> {
          return one;
        }
      }
    }
  }

  /** Reads the prefix of an AVX instruction; returns whether it is one that is known here. */
  private boolean vectorPrefix(int kind) {
    int first = next();
    rex = (~first >> 5) & REX_R;
    int last = first;
    map = Instruction.TWO_BYTES;
    if (kind != 0xc5) {
      rex |= ((~first >> 5) & REX_X) | ((~first >> 5) & REX_B);
      map = 1 + (first & (kind == 0xc4 ? 0x1f : 7));
      last = next();
      rex |= (last >> 4) & REX_W;
    }
    second = (~last >> 3) & 0xf;
    prefix = selected(last);
    if (kind != 0x62) {
      vectorBytes = XMM_BYTES << ((last >> 2) & 1);
      return true;
    }
    registerHigh = (~first & 0x10);
    countsVectors = true;
    int rest = next();
    vectorBytes = XMM_BYTES << ((rest >> 5) & 3);
    second |= (~rest << 1) & 0x10;
    // Neither masked nor a broadcast.
    return (rest & 0x97) == 0
        && vectorBytes <= 4 * XMM_BYTES
        && InstructionTable.isWholeVector(code[at] & 0xff, prefix);
  }

  private static int selected(int byteWithPrefix) {
    return switch (byteWithPrefix & 3) {
      case 1 -> 0x66;
      case 2 -> 0xf3;
      case 3 -> 0xf2;
      default -> 0;
    };
  }

  private Operand memory(int mode, int low) {
    int base = low | ((rex & REX_B) != 0 ? HIGH : 0);
    int index = Operand.NONE;
    int scale = 0;
    if (low == HAS_SIB) {
      int sib = next();
      scale = sib >> 6;
      index = ((sib >> 3) & 7) | ((rex & REX_X) != 0 ? HIGH : 0);
      if (index == NO_INDEX) {
        index = Operand.NONE;
      }
      base = (sib & 7) | ((rex & REX_B) != 0 ? HIGH : 0);
      if ((sib & 7) == NO_BASE && mode == 0) {
        return operand(Operand.NONE, index, scale, signed(Integer.BYTES));
      }
    } else if (low == NO_BASE && mode == 0) {
      return operand(Operand.NEXT, index, scale, signed(Integer.BYTES));
    }
    long displacement =
        switch (mode) {
          case 0 -> 0;
          case 1 -> signed(1) * (countsVectors ? vectorBytes : 1);
          default -> signed(Integer.BYTES);
        };
    return operand(base, index, scale, displacement);
  }

  private Operand operand(int base, int index, int scale, long displacement) {
    return new Operand(segment, base, index, scale, displacement, isNarrow);
  }
}
