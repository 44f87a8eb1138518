package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The reason why a vCPU left the guest, decoded from its kvm_run.
 *
 * <p>The exits that a guest makes often ({@link IoOut}, {@link IoIn}, {@link MmioRead}, {@link
 * MmioWrite}, {@link Hypercall}) are views of kvm_run, made once for each vCPU: they are valid
 * until the vCPU runs again. Answers are written through them and reach the guest when it runs
 * again. The other exits are values.
 *
 * <p>For use by the thread that runs the vCPU, before it runs it again.
 */
public sealed interface Exit {

  /** The guest wrote to an I/O port: KVM_EXIT_IO. */
  final class IoOut implements Exit {
    private final IoView io;

    IoOut(IoView io) {
      this.io = io;
    }

    /** The port, 0 to 0xffff. */
    public int port() {
      return io.port();
    }

    /** The width of each value: 1, 2 or 4 bytes. */
    public int size() {
      return io.size();
    }

    /** How many values there are: 1, or more for a string instruction. */
    public int count() {
      return io.count();
    }

    /** The first value, zero-extended. */
    public int value() {
      return io.get(0);
    }

    /** The value with an index from 0 to {@link #count} - 1. */
    public int value(int index) {
      return io.get(index);
    }

    @Override
    public String toString() {
      return "output of 0x" + Integer.toHexString(value()) + " to port " + io;
    }
  }

  /** The guest reads from an I/O port and waits for an answer: KVM_EXIT_IO. */
  final class IoIn implements Exit {
    private final IoView io;

    IoIn(IoView io) {
      this.io = io;
    }

    /** The port, 0 to 0xffff. */
    public int port() {
      return io.port();
    }

    /** The width of each value: 1, 2 or 4 bytes. */
    public int size() {
      return io.size();
    }

    /** How many values are wanted: 1, or more for a string instruction. */
    public int count() {
      return io.count();
    }

    /** Answers with the low {@link #size} bytes of a value, for every value that is wanted. */
    public void respond(int value) {
      int count = count();
      for (int i = 0; i < count; i++) {
        io.set(i, value);
      }
    }

    /** Answers the wanted value with an index from 0 to {@link #count} - 1. */
    public void respond(int index, int value) {
      io.set(index, value);
    }

    @Override
    public String toString() {
      return "input from port " + io;
    }
  }

  /** The guest reads from an address that has no slot and waits for an answer: KVM_EXIT_MMIO. */
  final class MmioRead implements Exit {
    private final MmioView mmio;

    MmioRead(MmioView mmio) {
      this.mmio = mmio;
    }

    /** The guest-physical address. */
    public long gpa() {
      return mmio.gpa();
    }

    /** The width of the access in bytes, 1 to 8. */
    public int size() {
      return mmio.size();
    }

    /** Answers with the low {@link #size} bytes of a value, little endian. */
    public void respond(long value) {
      mmio.data(value);
    }

    @Override
    public String toString() {
      return "MMIO read of " + mmio;
    }
  }

  /** The guest wrote to an address that has no slot: KVM_EXIT_MMIO. */
  final class MmioWrite implements Exit {
    private final MmioView mmio;

    MmioWrite(MmioView mmio) {
      this.mmio = mmio;
    }

    /** The guest-physical address. */
    public long gpa() {
      return mmio.gpa();
    }

    /** The width of the access in bytes, 1 to 8. */
    public int size() {
      return mmio.size();
    }

    /** What was written, little endian, zero-extended. */
    public long value() {
      return mmio.data();
    }

    @Override
    public String toString() {
      return "MMIO write of 0x" + Long.toHexString(value()) + " to " + mmio;
    }
  }

  /** The guest made a hypercall that is configured to leave the guest: KVM_EXIT_HYPERCALL. */
  final class Hypercall implements Exit {
    private final MemorySegment call;

    Hypercall(MemorySegment run) {
      this.call = kvm_run.hypercall(run);
    }

    /** Which hypercall, a KVM_HC_ number. */
    public long number() {
      return kvm_run.hypercall.nr(call);
    }

    /** The argument with an index from 0 to 5. */
    public long argument(int index) {
      return kvm_run.hypercall.args(call, index);
    }

    /** Answers with a result. */
    public void respond(long result) {
      kvm_run.hypercall.ret(call, result);
    }

    @Override
    public String toString() {
      return "hypercall " + number();
    }
  }

  /** The guest halted: KVM_EXIT_HLT. */
  record Hlt() implements Exit {}

  /** The guest's processor shut down, mostly by a triple fault: KVM_EXIT_SHUTDOWN. */
  record Shutdown() implements Exit {}

  /** The guest takes interrupts now: KVM_EXIT_IRQ_WINDOW_OPEN. */
  record IrqWindowOpen() implements Exit {}

  /**
   * The processor refused to enter the guest: KVM_EXIT_FAIL_ENTRY.
   *
   * @param hardwareReason what the processor said
   * @param cpu the host's processor on which it was tried
   */
  record FailEntry(long hardwareReason, int cpu) implements Exit {}

  /**
   * KVM could not go on: KVM_EXIT_INTERNAL_ERROR.
   *
   * @param suberror why, a KVM_INTERNAL_ERROR_ number; 1: an instruction that it cannot emulate
   * @param data what else KVM said
   */
  record KvmInternalError(int suberror, List<Long> data) implements Exit {
    /** Copies the list. */
    public KvmInternalError {
      data = List.copyOf(data);
    }
  }

  /**
   * The guest touched memory in a way that its slot or attribute does not allow:
   * KVM_EXIT_MEMORY_FAULT, with which KVM_RUN fails with EFAULT.
   *
   * @param isPrivate whether the access was to private memory
   * @param gpa the first guest-physical address
   * @param bytes the length of the range that cannot be reached
   */
  record MemoryFault(boolean isPrivate, long gpa, long bytes) implements Exit {
    @Override
    public String toString() {
      return "fault of %s access at 0x%x, 0x%x bytes"
          .formatted(isPrivate ? "a private" : "a shared", gpa, bytes);
    }
  }

  /**
   * The guest asked for a shutdown or a reset, or crashed: KVM_EXIT_SYSTEM_EVENT.
   *
   * @param type a KVM_SYSTEM_EVENT_ number; 1: shutdown, 2: reset, 3: crash, 6: SEV termination, 7:
   *     TDX fatal error
   * @param data what else KVM said
   */
  record SystemEvent(int type, List<Long> data) implements Exit {
    /** Copies the list. */
    public SystemEvent {
      data = List.copyOf(data);
    }
  }

  /**
   * The processor left the guest for a reason that KVM does not know: KVM_EXIT_UNKNOWN.
   *
   * @param hardwareReason what the processor said
   */
  record Unknown(long hardwareReason) implements Exit {}

  /**
   * An exit that is not decoded further.
   *
   * @param reason the number in kvm_run
   * @param payload the 256 bytes of kvm_run that begin with the exit's struct. It is a view, valid
   *     until the vCPU runs again; the answer to the exit is written to it
   */
  record Other(int reason, MemorySegment payload) implements Exit {
    @Override
    public String toString() {
      return "exit "
          + reason
          + ExitReason.of(reason).map(known -> " (KVM_EXIT_" + known + ")").orElse("");
    }
  }
}
