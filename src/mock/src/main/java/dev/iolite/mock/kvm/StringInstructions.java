package dev.iolite.mock.kvm;

/** MOVS, STOS, LODS, INS and OUTS: one value at a time, with or without a repeat prefix. */
final class StringInstructions {
  private static final int LAST_PORT_OPCODE = 0x6f;

  private final CpuState cpu;
  private final Decoder code;
  private final PortIo ports;

  StringInstructions(CpuState cpu, Decoder code, PortIo ports) {
    this.cpu = cpu;
    this.code = code;
    this.ports = ports;
  }

  static boolean is(int opcode) {
    return (opcode >= 0x6c && opcode <= 0x6f)
        || opcode == 0xa4
        || opcode == 0xa5
        || (opcode >= 0xaa && opcode <= 0xad);
  }

  /**
   * Executes one step. A repeated instruction stays where it is until it finds a count of 0; while
   * it does port I/O, the resume flag is set (arch/x86/kvm/emulate.c:x86_emulate_insn).
   */
  boolean execute(int opcode) {
    int wide = code.address32 ? 4 : 2;
    if (code.repeat != 0 && cpu.get(CpuState.CX, wide) == 0) {
      cpu.flag(CpuState.RESUME, false);
      cpu.rip = code.next();
      return true;
    }
    int size = (opcode & 1) == 0 ? 1 : code.operand;
    boolean goesOn = move(opcode, size, wide);
    long by = cpu.flag(CpuState.DIRECTION) ? -size : size;
    if (usesSource(opcode)) {
      cpu.set(CpuState.SI, wide, cpu.get(CpuState.SI, wide) + by);
    }
    if (usesDestination(opcode)) {
      cpu.set(CpuState.DI, wide, cpu.get(CpuState.DI, wide) + by);
    }
    if (code.repeat != 0) {
      cpu.set(CpuState.CX, wide, cpu.get(CpuState.CX, wide) - 1);
      cpu.flag(CpuState.RESUME, opcode <= LAST_PORT_OPCODE);
    } else {
      cpu.rip = code.next();
    }
    return goesOn;
  }

  private static boolean usesSource(int opcode) {
    return opcode == 0x6e || opcode == 0x6f || opcode == 0xa4 || opcode == 0xa5 || opcode >= 0xac;
  }

  private static boolean usesDestination(int opcode) {
    return opcode == 0x6c || opcode == 0x6d || (opcode >= 0xa4 && opcode <= 0xab);
  }

  private boolean move(int opcode, int size, int wide) {
    long from = cpu.get(CpuState.SI, wide);
    long to = cpu.get(CpuState.DI, wide);
    int source = code.dataSegment(CpuState.DS);
    int port = (int) cpu.get(CpuState.DX, 2);
    switch (opcode) {
      case 0x6c, 0x6d -> {
        long wanted = code.repeat != 0 ? cpu.get(CpuState.CX, wide) : 1;
        long at = cpu.base(CpuState.ES) + to;
        code.write(CpuState.ES, to, size, ports.inString(port, size, at, wanted));
      }
      case 0x6e, 0x6f -> {
        return ports.outString(port, size, code.read(source, from, size));
      }
      case 0xa4, 0xa5 -> code.write(CpuState.ES, to, size, code.read(source, from, size));
      case 0xaa, 0xab -> code.write(CpuState.ES, to, size, cpu.get(CpuState.AX, size));
      default -> cpu.set(CpuState.AX, size, code.read(source, from, size));
    }
    return true;
  }
}
