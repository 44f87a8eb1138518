package dev.iolite.mock.kvm;

/** An instruction's prefixes, operands and immediates. */
final class Decoder {
  private static final int LONGEST = 15;

  private final CpuState cpu;
  private final GuestBus bus;
  private final byte[] code = new byte[LONGEST];
  private int fetched;
  private int position;

  /** The size of an operand that is not a byte: 2 or 4. */
  int operand;

  /** Whether addresses have 32 bits. */
  boolean address32;

  /** The repeat prefix, 0 if there is none. */
  int repeat;

  /** The middle field of the ModRM byte: a register or part of the opcode. */
  int reg;

  private int segment;
  private int register;
  private long offset;
  private int operandSegment;

  Decoder(CpuState cpu, GuestBus bus) {
    this.cpu = cpu;
    this.bus = bus;
  }

  /** Begins an instruction and returns its opcode's first byte. */
  int begin() {
    position = 0;
    fetched = bus.fetch(linear(CpuState.CS, cpu.rip & 0xffff), code);
    operand = 2;
    address32 = false;
    repeat = 0;
    segment = -1;
    while (true) {
      int opcode = u8();
      switch (opcode) {
        case 0x66 -> operand = 4;
        case 0x67 -> address32 = true;
        case 0xf2, 0xf3 -> repeat = opcode;
        case 0xf0 -> {} // LOCK: no other vCPU runs during the instruction anyway.
        case 0x26 -> segment = CpuState.ES;
        case 0x2e -> segment = CpuState.CS;
        case 0x36 -> segment = CpuState.SS;
        case 0x3e -> segment = CpuState.DS;
        case 0x64 -> segment = CpuState.FS;
        case 0x65 -> segment = CpuState.GS;
        default -> {
          return opcode;
        }
      }
    }
  }

  /** The offset of the next instruction in the code segment. */
  long next() {
    return (cpu.rip + position) & 0xffff;
  }

  byte[] bytes() {
    return code;
  }

  int bytesFetched() {
    return fetched;
  }

  int u8() {
    if (position == LONGEST) {
      throw GuestTrap.GENERAL_PROTECTION;
    }
    if (position >= fetched) {
      byte[] more = new byte[LONGEST - fetched];
      int count = bus.fetch(linear(CpuState.CS, (cpu.rip + fetched) & 0xffff), more);
      if (count == 0) {
        throw GuestTrap.UNKNOWN;
      }
      System.arraycopy(more, 0, code, fetched, count);
      fetched += count;
    }
    return Byte.toUnsignedInt(code[position++]);
  }

  /** An immediate value of 1, 2 or 4 bytes. */
  long immediate(int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (long) u8() << (i * Byte.SIZE);
    }
    return value;
  }

  /** An immediate byte, sign-extended. */
  int s8() {
    return (byte) u8();
  }

  /** The segment of data: the one that a prefix selects, or else this one. */
  int dataSegment(int otherwise) {
    return segment >= 0 ? segment : otherwise;
  }

  /** Reads the ModRM byte and what belongs to it. */
  void modRm() {
    int modRm = u8();
    int mod = modRm >> 6;
    reg = (modRm >> 3) & 7;
    int rm = modRm & 7;
    register = mod == 3 ? rm : -1;
    if (mod == 3) {
      return;
    }
    operandSegment = CpuState.DS;
    offset = address32 ? address32(mod, rm) : address16(mod, rm);
    operandSegment = dataSegment(operandSegment);
  }

  private long address16(int mod, int rm) {
    if (mod == 0 && rm == 6) {
      return immediate(2);
    }
    long base =
        switch (rm) {
          case 0 -> cpu.get(CpuState.BX) + cpu.get(CpuState.SI);
          case 1 -> cpu.get(CpuState.BX) + cpu.get(CpuState.DI);
          case 2 -> cpu.get(CpuState.BP) + cpu.get(CpuState.SI);
          case 3 -> cpu.get(CpuState.BP) + cpu.get(CpuState.DI);
          case 4 -> cpu.get(CpuState.SI);
          case 5 -> cpu.get(CpuState.DI);
          case 6 -> cpu.get(CpuState.BP);
          default -> cpu.get(CpuState.BX);
        };
    if (rm == 2 || rm == 3 || rm == 6) {
      operandSegment = CpuState.SS;
    }
    return (base + displacement(mod, 2)) & 0xffff;
  }

  private long address32(int mod, int rm) {
    long base;
    if (rm == 4) {
      int sib = u8();
      int index = (sib >> 3) & 7;
      base = base32(mod, sib & 7);
      if (index != 4) {
        base += cpu.get(index, 4) << (sib >> 6);
      }
    } else {
      base = base32(mod, rm);
    }
    return (base + displacement(mod, 4)) & 0xffff_ffffL;
  }

  private long base32(int mod, int rm) {
    if (mod == 0 && rm == 5) {
      return (int) immediate(4);
    }
    if (rm == CpuState.SP || rm == CpuState.BP) {
      operandSegment = CpuState.SS;
    }
    return cpu.get(rm, 4);
  }

  private long displacement(int mod, int wide) {
    return switch (mod) {
      case 1 -> s8();
      case 2 -> immediate(wide);
      default -> 0;
    };
  }

  boolean isRegister() {
    return register >= 0;
  }

  /** The register that the last field of the ModRM byte names; {@link #isRegister} holds. */
  int register() {
    return register;
  }

  long readRm(int size) {
    return register >= 0 ? cpu.get(register, size) : read(operandSegment, offset, size);
  }

  void writeRm(int size, long value) {
    if (register >= 0) {
      cpu.set(register, size, value);
    } else {
      write(operandSegment, offset, size, value);
    }
  }

  /** Reads at a distance from the operand in memory. */
  long readBeside(int distance, int size) {
    return read(operandSegment, offset + distance, size);
  }

  long read(int inSegment, long at, int size) {
    requireInLimit(inSegment, at, size);
    return bus.read(linear(inSegment, at), size);
  }

  void write(int inSegment, long at, int size, long value) {
    requireInLimit(inSegment, at, size);
    bus.write(linear(inSegment, at), size, value);
  }

  private void requireInLimit(int inSegment, long at, int size) {
    if (at + size - 1 > cpu.limit(inSegment)) {
      throw GuestTrap.GENERAL_PROTECTION;
    }
  }

  private long linear(int inSegment, long at) {
    return (cpu.base(inSegment) + at) & 0xffff_ffffL;
  }
}
