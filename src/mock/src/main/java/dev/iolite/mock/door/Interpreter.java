package dev.iolite.mock.door;

import dev.iolite.mock.core.Alu;
import dev.iolite.mock.door.Instruction.Operand;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Carries out an instruction of a stopped thread on memory that the processor can't access. */
final class Interpreter {
  private static final int XMM_BYTES = 16;

  /** A string instruction is carried out in parts, so that signals are not kept waiting. */
  private static final int MOST_REPETITIONS = 4096;

  private final ThreadRegisters thread;
  private final ThreadMemory memory;
  private final Alu alu;

  Interpreter(ThreadRegisters thread, ThreadMemory memory) {
    this.thread = thread;
    this.memory = memory;
    alu = new Alu(thread);
  }

  /** An instruction is none of those that can be carried out. */
  static final class Unknown extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Carries out an instruction; the thread goes on behind it, or with what is left of it.
   *
   * @throws Unknown if that is not possible
   */
  void step(Instruction instruction) {
    long next = thread.ip() + instruction.bytes();
    boolean isDone = true;
    if (instruction.isString()) {
      isDone = string(instruction);
    } else {
      new Step(instruction).run();
    }
    if (isDone) {
      thread.ip(next);
    }
  }

  /** Returns whether nothing is left to do. */
  private boolean string(Instruction it) {
    int bytes = (it.operation() & 1) == 0 ? 1 : it.operandBytes();
    long step = thread.goesDown() ? -bytes : bytes;
    int address = it.memory().isNarrow() ? Integer.BYTES : Long.BYTES;
    int kind = it.operation() & ~1;
    long source = thread.base(it.memory().segment());
    for (int i = 0; i < MOST_REPETITIONS; i++) {
      if (it.isRepeated() && thread.get(ThreadRegisters.CX, address, false) == 0) {
        return true;
      }
      switch (kind) {
        case 0xa4 -> {
          long value = memory.read(source + thread.get(ThreadRegisters.SI, address, false), bytes);
          memory.write(thread.get(ThreadRegisters.DI, address, false), bytes, value);
          advance(ThreadRegisters.SI, address, step);
          advance(ThreadRegisters.DI, address, step);
        }
        case 0xaa -> {
          memory.write(
              thread.get(ThreadRegisters.DI, address, false), bytes, thread.get(0, bytes, false));
          advance(ThreadRegisters.DI, address, step);
        }
        default -> {
          long value = memory.read(source + thread.get(ThreadRegisters.SI, address, false), bytes);
          thread.set(0, bytes, false, value);
          advance(ThreadRegisters.SI, address, step);
        }
      }
      if (!it.isRepeated()) {
        return true;
      }
      advance(ThreadRegisters.CX, address, -1);
    }
    return false;
  }

  private void advance(int register, int bytes, long by) {
    thread.set(register, bytes, false, thread.get(register, bytes, false) + by);
  }

  /** One instruction with an operand in memory. */
  private final class Step {
    private final Instruction it;
    private final long address;
    private final boolean hasHighBytes;

    Step(Instruction it) {
      this.it = it;
      Operand operand = it.memory();
      address = operand.address(thread, it.bytes());
      hasHighBytes = !it.hasRex();
    }

    void run() {
      switch (it.map()) {
        case Instruction.ONE_BYTE -> oneByte();
        case Instruction.TWO_BYTES -> twoBytes();
        default -> threeBytes();
      }
    }

    /** Operations come in pairs: the even one is of bytes. */
    private int bytes() {
      return (it.operation() & 1) == 0 ? 1 : it.operandBytes();
    }

    private long register(int bytes) {
      return thread.get(it.register(), bytes, hasHighBytes);
    }

    private void register(int bytes, long value) {
      thread.set(it.register(), bytes, hasHighBytes, value);
    }

    private long load(int bytes) {
      return memory.read(address, bytes);
    }

    private void store(int bytes, long value) {
      memory.write(address, bytes, value & Alu.mask(bytes));
    }

    private void oneByte() {
      int operation = it.operation();
      int bytes = bytes();
      if (InstructionTable.isArithmetic(operation)) {
        arithmetic(operation >> 3, bytes, (operation & 2) != 0);
        return;
      }
      switch (operation) {
        case 0x63 -> {
          int extended = (int) load(Integer.BYTES);
          register(it.operandBytes(), extended);
        }
        case 0x80, 0x81, 0x83 ->
            change(it.register() & 7, operation == 0x80 ? 1 : it.operandBytes(), it.immediate());
        case 0x84, 0x85 -> alu.logic(bytes, load(bytes) & register(bytes));
        case 0x86, 0x87 -> {
          long value = load(bytes);
          store(bytes, register(bytes));
          register(bytes, value);
        }
        case 0x88, 0x89 -> store(bytes, register(bytes));
        case 0x8a, 0x8b -> register(bytes, load(bytes));
        case 0xa0, 0xa1 -> thread.set(0, bytes, hasHighBytes, load(bytes));
        case 0xa2, 0xa3 -> store(bytes, thread.get(0, bytes, hasHighBytes));
        case 0xc6, 0xc7 -> {
          require((it.register() & 7) == 0);
          store(bytes, it.immediate());
        }
        case 0xf6, 0xf7 -> unary(bytes);
        default -> {
          require((it.register() & 7) < 2);
          store(bytes, alu.step(bytes, load(bytes), (it.register() & 7) == 0 ? 1 : -1));
        }
      }
    }

    private void arithmetic(int operation, int bytes, boolean toRegister) {
      if (!toRegister) {
        change(operation, bytes, register(bytes));
        return;
      }
      long result = alu.apply(operation, bytes, register(bytes), load(bytes));
      if (operation != Alu.CMP) {
        register(bytes, result);
      }
    }

    /** Of memory and a value; CMP only compares them. */
    private void change(int operation, int bytes, long value) {
      long result = alu.apply(operation, bytes, load(bytes), value & Alu.mask(bytes));
      if (operation != Alu.CMP) {
        store(bytes, result);
      }
    }

    private void unary(int bytes) {
      switch (it.register() & 7) {
        case 0, 1 -> alu.logic(bytes, load(bytes) & it.immediate());
        case 2 -> store(bytes, ~load(bytes));
        case 3 -> store(bytes, alu.apply(Alu.SUB, bytes, 0, load(bytes)));
        default -> throw new Unknown();
      }
    }

    private void twoBytes() {
      int operation = it.operation();
      int bytes = bytes();
      if (InstructionTable.isConditionalMove(operation)) {
        long value = load(it.operandBytes());
        register(
            it.operandBytes(), alu.holds(operation & 0xf) ? value : register(it.operandBytes()));
        return;
      }
      if (InstructionTable.isCondition(operation)) {
        store(1, alu.holds(operation & 0xf) ? 1 : 0);
        return;
      }
      switch (operation) {
        case 0xb0, 0xb1 -> exchangeIfEqual(bytes);
        case 0xb6 -> register(it.operandBytes(), load(1));
        case 0xb7 -> register(it.operandBytes(), load(Short.BYTES));
        case 0xbe -> register(it.operandBytes(), (byte) load(1));
        case 0xbf -> register(it.operandBytes(), (short) load(Short.BYTES));
        case 0xba -> bit();
        case 0xc0, 0xc1 -> {
          long before = load(bytes);
          store(bytes, alu.apply(Alu.ADD, bytes, before, register(bytes)));
          register(bytes, before);
        }
        case 0xc3 -> store(it.operandBytes(), register(it.operandBytes()));
        default -> vector();
      }
    }

    private void exchangeIfEqual(int bytes) {
      long before = load(bytes);
      alu.apply(Alu.CMP, bytes, thread.get(0, bytes, false), before);
      if (thread.flag(Alu.ZERO)) {
        store(bytes, register(bytes));
      } else {
        store(bytes, before);
        thread.set(0, bytes, false, before);
      }
    }

    private void bit() {
      int bytes = it.operandBytes();
      long bit = 1L << (it.immediate() & (bytes * Byte.SIZE - 1));
      long before = load(bytes);
      switch (it.register() & 7) {
        case 4 -> {}
        case 5 -> store(bytes, before | bit);
        case 6 -> store(bytes, before & ~bit);
        case 7 -> store(bytes, before ^ bit);
        default -> throw new Unknown();
      }
      thread.flag(Alu.CARRY, (before & bit) != 0);
    }

    private void threeBytes() {
      if (it.operation() == 0x2a) {
        require(it.prefix() == 0x66);
        loadVector(whole());
        return;
      }
      // Else it is CRC32, or of AVX.
      require(it.prefix() != 0xf2 && !it.isVector());
      int bytes = it.operandBytes();
      int unused = Long.SIZE - bytes * Byte.SIZE;
      if (it.operation() == 0xf0) {
        register(bytes, Long.reverseBytes(load(bytes)) >>> unused);
      } else {
        store(bytes, Long.reverseBytes(register(bytes)) >>> unused);
      }
    }

    private int whole() {
      return it.isVector() ? it.vectorBytes() : XMM_BYTES;
    }

    private void vector() {
      int prefix = it.prefix();
      switch (it.operation()) {
        case 0x10 ->
            loadPart(prefix == 0xf3 ? Integer.BYTES : prefix == 0xf2 ? Long.BYTES : whole());
        case 0x11 ->
            storeVector(prefix == 0xf3 ? Integer.BYTES : prefix == 0xf2 ? Long.BYTES : whole());
        case 0x12 -> loadHalf(0);
        case 0x16 -> loadHalf(Long.BYTES);
        case 0x13 -> storeHalf(0);
        case 0x17 -> storeHalf(Long.BYTES);
        case 0x28 -> loadVector(whole());
        case 0x29, 0x2b -> storeVector(whole());
        case 0x6e -> {
          require(prefix == 0x66);
          loadPart(Math.max(Integer.BYTES, it.operandBytes() & ~3));
        }
        case 0x6f -> {
          require(prefix != 0);
          loadVector(whole());
        }
        case 0x7e -> {
          require(prefix != 0);
          if (prefix == 0xf3) {
            loadPart(Long.BYTES);
          } else {
            storeVector(Math.max(Integer.BYTES, it.operandBytes() & ~3));
          }
        }
        case 0x7f, 0xe7 -> {
          require(prefix != 0);
          storeVector(whole());
        }
        case 0xd6 -> {
          require(prefix == 0x66);
          storeVector(Long.BYTES);
        }
        default -> {
          require(prefix == 0xf2);
          loadVector(whole());
        }
      }
    }

    /** The rest of an XMM register becomes 0, as what is beyond it does in AVX. */
    private void loadPart(int bytes) {
      byte[] value = new byte[Math.max(bytes, XMM_BYTES)];
      memory.read(address, MemorySegment.ofArray(value).asSlice(0, bytes));
      thread.vector(it.register(), value, it.isVector());
    }

    private void loadVector(int bytes) {
      byte[] value = new byte[bytes];
      memory.read(address, MemorySegment.ofArray(value));
      thread.vector(it.register(), value, it.isVector());
    }

    private void storeVector(int bytes) {
      memory.write(address, MemorySegment.ofArray(thread.vector(it.register(), bytes)));
    }

    /** The other half comes from the further register in AVX. */
    private void loadHalf(int at) {
      require(it.prefix() == 0 || it.prefix() == 0x66);
      byte[] value = thread.vector(it.isVector() ? it.second() : it.register(), XMM_BYTES);
      memory.read(address, MemorySegment.ofArray(value).asSlice(at, Long.BYTES));
      thread.vector(it.register(), value, it.isVector());
    }

    private void storeHalf(int at) {
      require(it.prefix() == 0 || it.prefix() == 0x66);
      byte[] value = thread.vector(it.register(), XMM_BYTES);
      memory.write(address, MemorySegment.ofArray(Arrays.copyOfRange(value, at, at + Long.BYTES)));
    }

    private static void require(boolean isKnown) {
      if (!isKnown) {
        throw new Unknown();
      }
    }
  }
}
