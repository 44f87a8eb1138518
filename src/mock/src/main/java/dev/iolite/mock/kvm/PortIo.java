package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;

/** Port I/O: IN, OUT and their string forms. */
final class PortIo {
  /** The port at which an OUT is complete before it exits (KVM_X86_QUIRK_OUT_7E_INC_RIP). */
  private static final int EARLY_PORT = 0x7e;

  /** How many bytes of values an exit carries. */
  private static final int MOST_DATA = 1024;

  private enum Waiting {
    NOTHING,
    OUTPUT,
    INPUT,
    STRING_INPUT
  }

  private final KvmVm vm;
  private final CpuState cpu;
  private final KvmRun run;
  private final Decoder code;
  private Waiting waiting = Waiting.NOTHING;

  /** The instruction that caused the exit, and the one after it. */
  private long at;

  private long next;
  private int size;

  /** The values of a string input that have arrived but are not stored yet. */
  private int count;

  private int taken;

  PortIo(KvmVm vm, CpuState cpu, KvmRun run, Decoder code) {
    this.vm = vm;
    this.cpu = cpu;
    this.run = run;
    this.code = code;
  }

  /**
   * arch/x86/kvm/x86.c:kvm_fast_pio_out.
   *
   * @return false: the guest exits
   */
  boolean out(int port, int bytes) {
    long value = cpu.get(CpuState.AX, bytes);
    if (isTaken(port, bytes, value)) {
      cpu.rip = code.next();
      return true;
    }
    run.io(true, port, bytes, 1);
    run.putIoData(bytes, value);
    if (port == EARLY_PORT) {
      cpu.rip = code.next();
    } else {
      leave(Waiting.OUTPUT, bytes);
    }
    return false;
  }

  /** Whether a device of the kernel takes a value that is written (kvm_io_bus_write). */
  private boolean isTaken(int port, int bytes, long value) {
    return vm.ioeventfds().signalPort(port, bytes, value)
        || vm.coalescedZones().take(run, true, port, bytes, value);
  }

  /** arch/x86/kvm/x86.c:kvm_fast_pio_in. */
  boolean in(int port, int bytes) {
    run.io(false, port, bytes, 1);
    leave(Waiting.INPUT, bytes);
    return false;
  }

  private void leave(Waiting forWhat, int bytes) {
    waiting = forWhat;
    size = bytes;
    at = cpu.base(CpuState.CS) + cpu.rip;
    next = code.next();
  }

  /** Writes one value of OUTS; does not change the registers. */
  boolean outString(int port, int bytes, long value) {
    if (isTaken(port, bytes, value)) {
      return true;
    }
    run.io(true, port, bytes, 1);
    run.putIoData(bytes, value);
    return false;
  }

  /**
   * The next value of INS: one that has arrived, or the guest exits for as many as fit. Those are
   * as many values, whatever their size, as the page has bytes left
   * (arch/x86/kvm/emulate.c:pio_in_emulated).
   *
   * @throws GuestTrap LEFT
   */
  long inString(int port, int bytes, long address, long wanted) {
    if (taken < count) {
      long value = run.ioData(bytes, taken++);
      if (taken == count) {
        count = 0;
        taken = 0;
        waiting = Waiting.NOTHING;
      }
      return value;
    }
    long inPage =
        cpu.flag(CpuState.DIRECTION)
            ? address & (Page.BYTES - 1)
            : Page.BYTES - (address & (Page.BYTES - 1));
    count = (int) Math.max(1, Math.min(wanted, Math.min(inPage, MOST_DATA / bytes)));
    taken = 0;
    run.io(false, port, bytes, count);
    waiting = Waiting.STRING_INPUT;
    throw GuestTrap.LEFT;
  }

  boolean stringInputWaits() {
    return waiting == Waiting.STRING_INPUT;
  }

  /** Ends an IN or OUT, unless the VM's owner has moved the guest elsewhere in the meantime. */
  void complete() {
    if (waiting != Waiting.NOTHING && cpu.base(CpuState.CS) + cpu.rip == at) {
      if (waiting == Waiting.INPUT) {
        cpu.set(CpuState.AX, size, run.ioData(size, 0));
      }
      cpu.rip = next;
    }
    waiting = Waiting.NOTHING;
  }
}
