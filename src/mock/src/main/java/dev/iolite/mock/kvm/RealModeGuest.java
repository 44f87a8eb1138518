package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dtable;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;

/**
 * Runs 16-bit machine code without paging, such as firmware and small test guests. An unknown
 * instruction ends in an internal error, like one that KVM can't emulate.
 */
final class RealModeGuest implements Guest {
  private static final int DOUBLE_FAULT = 8;

  private final CpuState cpu;
  private final KvmRun run;
  private final GuestBus bus;
  private final Decoder code;
  private final Instructions instructions;
  private final PortIo ports;

  RealModeGuest(KvmVcpu vcpu) {
    cpu = vcpu.cpu();
    run = vcpu.run();
    bus = new GuestBus(vcpu);
    code = new Decoder(cpu, bus);
    ports = new PortIo(vcpu.vm(), cpu, run, code);
    instructions = new Instructions(vcpu, code, ports);
  }

  /** arch/x86/kvm/x86.c:complete_emulated_mmio, complete_fast_pio_in, complete_fast_pio_out. */
  @Override
  public boolean complete() {
    if (bus.readWaits()) {
      bus.takeAnswer();
      bus.repeat();
      return execute();
    }
    if (bus.leaveToWrite()) {
      return false;
    }
    if (ports.stringInputWaits()) {
      bus.begin();
      return execute();
    }
    ports.complete();
    instructions.completeHypercall();
    return instructions.completeMsr() || interrupt(GuestTrap.GENERAL_PROTECTION.vector(), cpu.rip);
  }

  @Override
  public boolean step() {
    bus.begin();
    return execute();
  }

  @Override
  public boolean deliver(int vector) {
    bus.begin();
    return interrupt(vector, cpu.rip);
  }

  private boolean execute() {
    try {
      if (!cpu.runs16BitCode()) {
        throw GuestTrap.UNKNOWN;
      }
      return instructions.execute() && !bus.leaveToWrite();
    } catch (GuestTrap trap) {
      if (trap == GuestTrap.LEFT) {
        return false;
      }
      if (trap == GuestTrap.UNKNOWN) {
        run.emulationFailure(code.bytes(), code.bytesFetched());
        return false;
      }
      return interrupt(trap.vector(), cpu.rip);
    }
  }

  /** Raises an exception; if it can't be delivered, this ends in a triple fault. */
  private boolean interrupt(int vector, long returnTo) {
    try {
      return deliver(vector, returnTo);
    } catch (GuestTrap second) {
      try {
        return vector == DOUBLE_FAULT ? shutDown() : deliver(DOUBLE_FAULT, returnTo);
      } catch (GuestTrap third) {
        return shutDown();
      }
    }
  }

  private boolean deliver(int vector, long returnTo) {
    MemorySegment table = kvm_sregs.idt(cpu.special());
    int limit = Short.toUnsignedInt(kvm_dtable.limit(table));
    int entryBytes = cpu.protectedMode() ? 8 : 4;
    if ((vector + 1) * entryBytes - 1 > limit) {
      throw GuestTrap.GENERAL_PROTECTION;
    }
    if (cpu.protectedMode()) {
      run.emulationFailure(code.bytes(), code.bytesFetched());
      return false;
    }
    instructions.push(2, cpu.flags);
    instructions.push(2, cpu.selector(CpuState.CS));
    instructions.push(2, returnTo);
    long entry = bus.read(kvm_dtable.base(table) + vector * 4L, 4);
    cpu.flag(CpuState.INTERRUPTS, false);
    cpu.loadSegment(CpuState.CS, (int) (entry >>> 16));
    cpu.rip = entry & 0xffff;
    return true;
  }

  /** arch/x86/kvm/svm/svm.c:shutdown_interception: the vCPU is reset. */
  private boolean shutDown() {
    run.reason(Kvm.KVM_EXIT_SHUTDOWN());
    cpu.reset();
    return false;
  }
}
