package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Alu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The path of an instruction's memory accesses. An MMIO access exits the guest: a read ends the
 * instruction, which is repeated with the answer; a write is deferred until the instruction is
 * done. arch/x86/kvm/x86.c:emulator_read_write, complete_emulated_mmio.
 */
final class GuestBus {
  private static final int MOST_ANSWERS = 32;

  private record Write(long gpa, int size, long value) {}

  private final KvmVm vm;
  private final LocalApic apic;
  private final KvmRun run;
  private final GuestMemory memory;
  private final MemorySegment cell = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);

  /** What the VM's owner answered to the reads of the current instruction. */
  private final long[] answers = new long[MOST_ANSWERS];

  private int answered;
  private int used;
  private int wanted;
  private final Deque<Write> writes = new ArrayDeque<>();

  GuestBus(KvmVcpu vcpu) {
    vm = vcpu.vm();
    apic = vcpu.apic();
    run = vcpu.run();
    memory = vcpu.memory();
  }

  /** Begins a new instruction. */
  void begin() {
    answered = 0;
    used = 0;
  }

  /** Begins the same instruction again. */
  void repeat() {
    used = 0;
  }

  /** Whether a read of the current instruction waits for its answer. */
  boolean readWaits() {
    return wanted != 0;
  }

  /** Called when the VM's owner has answered a read. */
  void takeAnswer() {
    answers[answered++] = run.mmioData(wanted);
    wanted = 0;
  }

  long read(long gpa, int size) {
    int first = inPage(gpa, size);
    long low = readPiece(gpa, first);
    return first == size ? low : low | readPiece(gpa + first, size - first) << (first * Byte.SIZE);
  }

  private static int inPage(long gpa, int size) {
    return (int) Math.min(size, Page.BYTES - (gpa & (Page.BYTES - 1)));
  }

  private long readPiece(long gpa, int size) {
    if (memory.read(gpa, cell.asSlice(0, size), memory.isPrivate(gpa))) {
      return KvmRun.load(cell, 0, size);
    }
    if (apic.answersAt(gpa)) {
      return apic.readMmio(gpa, size);
    }
    if (used < answered) {
      return answers[used++];
    }
    wanted = size;
    run.mmio(false, gpa, size, 0);
    throw GuestTrap.LEFT;
  }

  void write(long gpa, int size, long value) {
    int first = inPage(gpa, size);
    writePiece(gpa, first, value);
    if (first < size) {
      writePiece(gpa + first, size - first, value >>> (first * Byte.SIZE));
    }
  }

  private void writePiece(long gpa, int size, long value) {
    KvmRun.store(cell, 0, size, value);
    if (!memory.write(gpa, cell.asSlice(0, size), memory.isPrivate(gpa))
        && !apic.writeMmio(gpa, size, value)
        && !vm.ioeventfds().signalMmio(gpa, size, value)
        && !vm.coalescedZones().take(run, false, gpa, size, value)) {
      writes.add(new Write(gpa, size, value & Alu.mask(size)));
    }
  }

  /**
   * Exits with the next deferred write.
   *
   * @return false if there is none
   */
  boolean leaveToWrite() {
    Write write = writes.poll();
    if (write == null) {
      return false;
    }
    run.mmio(true, write.gpa, write.size, write.value);
    return true;
  }

  /**
   * Reads code, up to the end of the page.
   *
   * @return the number of bytes read
   */
  int fetch(long gpa, byte[] into) {
    int bytes = inPage(gpa, into.length);
    return memory.read(gpa, MemorySegment.ofArray(into).asSlice(0, bytes), memory.isPrivate(gpa))
        ? bytes
        : 0;
  }
}
