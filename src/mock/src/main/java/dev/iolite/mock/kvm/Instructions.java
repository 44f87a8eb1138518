package dev.iolite.mock.kvm;

import dev.iolite.mock.core.Alu;
import dev.iolite.uapi.kvm.kvm_dtable;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;

/** Executes instructions. Registers change only when nothing can stop the instruction any more. */
final class Instructions {
  private final KvmVcpu vcpu;
  private final CpuState cpu;
  private final Decoder code;
  private final Alu alu;
  private final PortIo ports;
  private final StringInstructions strings;
  private final MsrInstructions msrs;
  private boolean hypercallWaits;
  private long afterHypercall;

  Instructions(KvmVcpu vcpu, Decoder code, PortIo ports) {
    this.vcpu = vcpu;
    cpu = vcpu.cpu();
    this.code = code;
    this.ports = ports;
    alu = new Alu(cpu);
    msrs = new MsrInstructions(vcpu, code);
    strings = new StringInstructions(cpu, code, ports);
  }

  /**
   * Executes the instruction at the instruction pointer.
   *
   * @return false if the guest exits
   */
  boolean execute() {
    int opcode = code.begin();
    if (StringInstructions.is(opcode)) {
      return strings.execute(opcode);
    }
    // The low bit of most opcodes says whether the operand is a byte.
    int size = (opcode & 1) == 0 ? 1 : code.operand;
    if (opcode < 0x40 && (opcode & 7) < 6) {
      arithmetic(opcode >> 3, opcode & 7, size);
      return done();
    }
    switch (opcode) {
      case 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 -> stepRegister(opcode & 7, 1);
      case 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f -> stepRegister(opcode & 7, -1);
      case 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57 ->
          push(code.operand, cpu.get(opcode & 7));
      case 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f ->
          cpu.set(opcode & 7, code.operand, pop(code.operand));
      case 0x70,
          0x71,
          0x72,
          0x73,
          0x74,
          0x75,
          0x76,
          0x77,
          0x78,
          0x79,
          0x7a,
          0x7b,
          0x7c,
          0x7d,
          0x7e,
          0x7f -> {
        int distance = code.s8();
        return jump(alu.holds(opcode & 15) ? distance : 0);
      }
      case 0x80, 0x81, 0x83 -> {
        code.modRm();
        long left = code.readRm(size);
        long right = (opcode == 0x81 ? code.immediate(size) : code.s8()) & Alu.mask(size);
        applyToRm(code.reg, size, left, right);
      }
      case 0x84, 0x85 -> {
        code.modRm();
        alu.logic(size, code.readRm(size) & cpu.get(code.reg, size));
      }
      case 0x86, 0x87 -> {
        code.modRm();
        long value = code.readRm(size);
        code.writeRm(size, cpu.get(code.reg, size));
        cpu.set(code.reg, size, value);
      }
      case 0x88, 0x89 -> {
        code.modRm();
        code.writeRm(size, cpu.get(code.reg, size));
      }
      case 0x8a, 0x8b -> {
        code.modRm();
        cpu.set(code.reg, size, code.readRm(size));
      }
      case 0x8c -> {
        code.modRm();
        code.writeRm(2, cpu.selector(segment()));
      }
      case 0x8e -> {
        code.modRm();
        int segment = segment();
        if (segment == CpuState.CS || cpu.protectedMode()) {
          throw segment == CpuState.CS ? GuestTrap.INVALID_OPCODE : GuestTrap.UNKNOWN;
        }
        cpu.loadSegment(segment, (int) code.readRm(2));
      }
      case 0x90 -> {}
      case 0x9c -> push(code.operand, cpu.flags);
      case 0x9d -> cpu.flags = (pop(code.operand) & 0x7fd5) | CpuState.ALWAYS_SET;
      case 0xa0, 0xa1 -> {
        long at = code.immediate(code.address32 ? 4 : 2);
        cpu.set(CpuState.AX, size, code.read(code.dataSegment(CpuState.DS), at, size));
      }
      case 0xa2, 0xa3 -> {
        long at = code.immediate(code.address32 ? 4 : 2);
        code.write(code.dataSegment(CpuState.DS), at, size, cpu.get(CpuState.AX, size));
      }
      case 0xa8, 0xa9 -> alu.logic(size, cpu.get(CpuState.AX, size) & code.immediate(size));
      case 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7 -> cpu.set(opcode & 7, 1, code.u8());
      case 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf ->
          cpu.set(opcode & 7, code.operand, code.immediate(code.operand));
      case 0xc3 -> {
        cpu.rip = pop(code.operand) & 0xffff;
        return true;
      }
      case 0xc6, 0xc7 -> {
        code.modRm();
        code.writeRm(size, code.immediate(size));
      }
      case 0xcc -> {
        cpu.rip = code.next();
        throw GuestTrap.BREAKPOINT;
      }
      case 0xe2 -> {
        int distance = code.s8();
        int wide = code.address32 ? 4 : 2;
        cpu.set(CpuState.CX, wide, cpu.get(CpuState.CX, wide) - 1);
        return jump(cpu.get(CpuState.CX, wide) != 0 ? distance : 0);
      }
      case 0xe4, 0xe5 -> {
        return ports.in(code.u8(), size);
      }
      case 0xe6, 0xe7 -> {
        return ports.out(code.u8(), size);
      }
      case 0xe8 -> {
        long distance = code.immediate(code.operand);
        push(code.operand, code.next());
        return jump(distance);
      }
      case 0xe9 -> {
        return jump(code.immediate(code.operand));
      }
      case 0xeb -> {
        return jump(code.s8());
      }
      case 0xec, 0xed -> {
        return ports.in((int) cpu.get(CpuState.DX, 2), size);
      }
      case 0xee, 0xef -> {
        return ports.out((int) cpu.get(CpuState.DX, 2), size);
      }
      case 0xf4 -> {
        cpu.rip = code.next();
        return vcpu.halt();
      }
      case 0xf6, 0xf7 -> unary(size);
      case 0xf8 -> cpu.flag(Alu.CARRY, false);
      case 0xf9 -> cpu.flag(Alu.CARRY, true);
      case 0xfa -> cpu.flag(CpuState.INTERRUPTS, false);
      case 0xfb -> cpu.flag(CpuState.INTERRUPTS, true);
      case 0xfc -> cpu.flag(CpuState.DIRECTION, false);
      case 0xfd -> cpu.flag(CpuState.DIRECTION, true);
      case 0xfe, 0xff -> {
        code.modRm();
        if (code.reg > 1) {
          throw GuestTrap.UNKNOWN;
        }
        code.writeRm(size, alu.step(size, code.readRm(size), code.reg == 0 ? 1 : -1));
      }
      case 0x0f -> {
        return twoBytes(code.u8());
      }
      default -> throw GuestTrap.UNKNOWN;
    }
    return done();
  }

  private boolean done() {
    cpu.rip = code.next();
    return true;
  }

  private boolean jump(long distance) {
    cpu.rip = (code.next() + distance) & 0xffff;
    return true;
  }

  private int segment() {
    if (code.reg > CpuState.GS) {
      throw GuestTrap.INVALID_OPCODE;
    }
    return code.reg;
  }

  /** The first four rows of the opcode map: six forms of each of the eight operations. */
  private void arithmetic(int operation, int form, int size) {
    if (form >= 4) {
      long result = alu.apply(operation, size, cpu.get(CpuState.AX, size), code.immediate(size));
      if (operation != Alu.CMP) {
        cpu.set(CpuState.AX, size, result);
      }
      return;
    }
    code.modRm();
    long rm = code.readRm(size);
    long register = cpu.get(code.reg, size);
    if (form < 2) {
      applyToRm(operation, size, rm, register);
    } else {
      long result = alu.apply(operation, size, register, rm);
      if (operation != Alu.CMP) {
        cpu.set(code.reg, size, result);
      }
    }
  }

  private void applyToRm(int operation, int size, long left, long right) {
    long before = cpu.flags;
    long result = alu.apply(operation, size, left, right);
    if (operation != Alu.CMP) {
      long after = cpu.flags;
      cpu.flags = before;
      code.writeRm(size, result);
      cpu.flags = after;
    }
  }

  private void stepRegister(int register, int by) {
    cpu.set(register, code.operand, alu.step(code.operand, cpu.get(register, code.operand), by));
  }

  private void unary(int size) {
    code.modRm();
    long value = code.readRm(size);
    switch (code.reg) {
      case 0, 1 -> alu.logic(size, value & code.immediate(size));
      case 2 -> code.writeRm(size, ~value);
      case 3 -> applyToRm(Alu.SUB, size, 0, value);
      default -> throw GuestTrap.UNKNOWN;
    }
  }

  void push(int size, long value) {
    long top = (cpu.get(CpuState.SP, 2) - size) & 0xffff;
    code.write(CpuState.SS, top, size, value);
    cpu.set(CpuState.SP, 2, top);
  }

  private long pop(int size) {
    long top = cpu.get(CpuState.SP, 2);
    long value = code.read(CpuState.SS, top, size);
    cpu.set(CpuState.SP, 2, top + size);
    return value;
  }

  private boolean twoBytes(int second) {
    switch (second) {
      case 0x01 -> {
        return systemTable();
      }
      case 0x30 -> {
        return msrs.write();
      }
      case 0x32 -> {
        return msrs.read();
      }
      case 0x0b -> throw GuestTrap.INVALID_OPCODE;
      case 0x20 -> {
        controlRegister();
        cpu.set(code.register(), 4, kvm_sregs.cr0(cpu.special()));
      }
      case 0x22 -> {
        controlRegister();
        kvm_sregs.cr0(cpu.special(), cpu.get(code.register(), 4) | 0x10);
      }
      case 0x80,
          0x81,
          0x82,
          0x83,
          0x84,
          0x85,
          0x86,
          0x87,
          0x88,
          0x89,
          0x8a,
          0x8b,
          0x8c,
          0x8d,
          0x8e,
          0x8f -> {
        long distance = code.immediate(code.operand);
        return jump(alu.holds(second & 15) ? distance : 0);
      }
      case 0xb6 -> {
        code.modRm();
        cpu.set(code.reg, code.operand, code.readRm(1));
      }
      case 0xb7 -> {
        code.modRm();
        cpu.set(code.reg, code.operand, code.readRm(2));
      }
      default -> throw GuestTrap.UNKNOWN;
    }
    return done();
  }

  private void controlRegister() {
    code.modRm();
    if (code.reg != 0 || !code.isRegister()) {
      throw GuestTrap.UNKNOWN;
    }
  }

  private boolean systemTable() {
    code.modRm();
    if (code.isRegister() && code.register() == 1 && (code.reg == 0 || code.reg == 3)) {
      return hypercall();
    }
    if (code.isRegister() || (code.reg != 2 && code.reg != 3)) {
      throw GuestTrap.UNKNOWN;
    }
    long limit = code.readRm(2);
    long base = code.readBeside(2, 4) & (code.operand == 2 ? 0xff_ffff : 0xffff_ffffL);
    MemorySegment table =
        code.reg == 2 ? kvm_sregs.gdt(cpu.special()) : kvm_sregs.idt(cpu.special());
    kvm_dtable.limit(table, (short) limit);
    kvm_dtable.base(table, base);
    return done();
  }

  /** VMCALL and VMMCALL; arch/x86/kvm/x86.c:kvm_emulate_hypercall. */
  private boolean hypercall() {
    afterHypercall = code.next();
    hypercallWaits = true;
    boolean answered =
        vcpu.vm()
            .hypercall(
                vcpu.run(),
                false,
                cpu.get(CpuState.AX, 4),
                cpu.get(CpuState.BX, 4),
                cpu.get(CpuState.CX, 4),
                cpu.get(CpuState.DX, 4),
                cpu.get(CpuState.SI, 4));
    if (answered) {
      completeHypercall();
    }
    return answered;
  }

  /** Ends an RDMSR or WRMSR; returns false if that is #GP. */
  boolean completeMsr() {
    return msrs.complete();
  }

  /** arch/x86/kvm/x86.c:complete_hypercall_exit. */
  void completeHypercall() {
    if (hypercallWaits) {
      hypercallWaits = false;
      cpu.set(CpuState.AX, 4, vcpu.run().hypercallResult());
      cpu.rip = afterHypercall;
    }
  }
}
