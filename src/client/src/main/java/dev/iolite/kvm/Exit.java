package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_exit_snp_req_certs;
import dev.iolite.uapi.kvm.kvm_hyperv_exit;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_xen_exit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The reason why a vCPU left the guest, decoded from its kvm_run.
 *
 * <p>The exits that a guest makes often ({@link IoOut}, {@link IoIn}, {@link MmioRead}, {@link
 * MmioWrite}, {@link Hypercall}, {@link MsrRead}, {@link MsrWrite}) are views of kvm_run, made once
 * for each vCPU: they are valid until the vCPU runs again. So are the others that the guest waits
 * for an answer to. Answers are written through them and reach the guest when it runs again. The
 * other exits are values.
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

  /** The guest reads a model-specific register and waits for an answer: KVM_EXIT_X86_RDMSR. */
  final class MsrRead implements Exit {
    private final MemorySegment msr;

    MsrRead(MemorySegment run) {
      this.msr = kvm_run.msr(run);
    }

    /** The register's index. */
    public int index() {
      return kvm_run.msr.index(msr);
    }

    /** Why KVM does not answer. */
    public MsrExitReason reason() {
      return ExitDecoder.msrReason(kvm_run.msr.reason(msr));
    }

    /** Answers with a value. */
    public void respond(long value) {
      kvm_run.msr.data(msr, value);
      kvm_run.msr.error(msr, (byte) 0);
    }

    /** Answers with a general protection fault. */
    public void refuse() {
      kvm_run.msr.error(msr, (byte) 1);
    }

    @Override
    public String toString() {
      return "read of MSR 0x" + Integer.toHexString(index());
    }
  }

  /** The guest writes a model-specific register: KVM_EXIT_X86_WRMSR. */
  final class MsrWrite implements Exit {
    private final MemorySegment msr;

    MsrWrite(MemorySegment run) {
      this.msr = kvm_run.msr(run);
    }

    /** The register's index. */
    public int index() {
      return kvm_run.msr.index(msr);
    }

    /** What is written. */
    public long value() {
      return kvm_run.msr.data(msr);
    }

    /** Why KVM does not do it. */
    public MsrExitReason reason() {
      return ExitDecoder.msrReason(kvm_run.msr.reason(msr));
    }

    /** Answers that it is written. */
    public void accept() {
      kvm_run.msr.error(msr, (byte) 0);
    }

    /** Answers with a general protection fault. */
    public void refuse() {
      kvm_run.msr.error(msr, (byte) 1);
    }

    @Override
    public String toString() {
      return "write of 0x%x to MSR 0x%x".formatted(value(), index());
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
   * An exception that KVM does not handle: KVM_EXIT_EXCEPTION.
   *
   * @param exception its vector
   * @param errorCode its error code
   */
  record UnhandledException(int exception, int errorCode) implements Exit {}

  /**
   * A breakpoint or a single step that KVM_SET_GUEST_DEBUG asked for: KVM_EXIT_DEBUG.
   *
   * @param exception the vector: 1 (debug) or 3 (breakpoint)
   * @param pc the linear address of the instruction
   * @param dr6 which condition was met
   * @param dr7 which breakpoints are set
   */
  record Debug(int exception, long pc, long dr6, long dr7) implements Exit {}

  /** A signal took the processor out of the guest: KVM_EXIT_INTR. */
  record Interrupted() implements Exit {}

  /** The guest lowered its task priority, without a local APIC in the kernel: KVM_EXIT_SET_TPR. */
  record SetTpr() implements Exit {}

  /**
   * The guest accessed its task priority, as KVM_TPR_ACCESS_REPORTING asked for:
   * KVM_EXIT_TPR_ACCESS.
   *
   * @param rip the instruction that accesses it
   * @param isWrite whether it wrote it
   */
  record TprAccess(long rip, boolean isWrite) implements Exit {}

  /** A non-maskable interrupt: KVM_EXIT_NMI. No code of Linux 7.3 makes it. */
  record Nmi() implements Exit {}

  /**
   * The guest ended a level-triggered interrupt, whose I/O APIC is the VMM's: KVM_EXIT_IOAPIC_EOI.
   *
   * @param vector the interrupt's vector
   */
  record IoapicEoi(int vector) implements Exit {}

  /**
   * The guest moved the pages of its synthetic interrupt controller: KVM_EXIT_HYPERV_SYNIC.
   *
   * @param msr the register that it wrote
   * @param control HV_X64_MSR_SCONTROL
   * @param eventPage HV_X64_MSR_SIEFP
   * @param messagePage HV_X64_MSR_SIMP
   */
  record HypervSynic(int msr, long control, long eventPage, long messagePage) implements Exit {}

  /** A hypercall of Hyper-V that KVM leaves to the VMM: KVM_EXIT_HYPERV_HCALL. */
  final class HypervHypercall implements Exit {
    private final MemorySegment call;

    HypervHypercall(MemorySegment run) {
      this.call = kvm_hyperv_exit.u.hcall(kvm_hyperv_exit.u(kvm_run.hyperv(run)));
    }

    /** The hypercall's input value: its code, flags and counts. */
    public long input() {
      return kvm_hyperv_exit.u.hcall.input(call);
    }

    /** The parameter with an index from 0 to 1. */
    public long parameter(int index) {
      return kvm_hyperv_exit.u.hcall.params(call, index);
    }

    /** Answers with a result value. */
    public void respond(long result) {
      kvm_hyperv_exit.u.hcall.result(call, result);
    }
  }

  /** The guest uses Hyper-V's synthetic debugger: KVM_EXIT_HYPERV_SYNDBG. */
  final class HypervDebugger implements Exit {
    private final MemorySegment debugger;

    HypervDebugger(MemorySegment run) {
      this.debugger = kvm_hyperv_exit.u.syndbg(kvm_hyperv_exit.u(kvm_run.hyperv(run)));
    }

    /** The register that it wrote. */
    public int msr() {
      return kvm_hyperv_exit.u.syndbg.msr(debugger);
    }

    /** What it wants. */
    public long control() {
      return kvm_hyperv_exit.u.syndbg.control(debugger);
    }

    /** The guest-physical address of what it sends. */
    public long sendPage() {
      return kvm_hyperv_exit.u.syndbg.send_page(debugger);
    }

    /** The guest-physical address where it expects what it receives. */
    public long receivePage() {
      return kvm_hyperv_exit.u.syndbg.recv_page(debugger);
    }

    /** The guest-physical address of a page that says whether there is something to receive. */
    public long pendingPage() {
      return kvm_hyperv_exit.u.syndbg.pending_page(debugger);
    }

    /** Answers with a status. */
    public void respond(long status) {
      kvm_hyperv_exit.u.syndbg.status(debugger, status);
    }
  }

  /** A hypercall of Xen that KVM leaves to the VMM: KVM_EXIT_XEN_HCALL. */
  final class XenHypercall implements Exit {
    private final MemorySegment call;

    XenHypercall(MemorySegment run) {
      this.call = kvm_xen_exit.u.hcall(kvm_xen_exit.u(kvm_run.xen(run)));
    }

    /** Whether the guest's processor is in 64-bit mode. */
    public boolean isLongMode() {
      return kvm_xen_exit.u.hcall.longmode(call) != 0;
    }

    /** The privilege level that it was made at. */
    public int cpl() {
      return kvm_xen_exit.u.hcall.cpl(call);
    }

    /** Which hypercall. */
    public long input() {
      return kvm_xen_exit.u.hcall.input(call);
    }

    /** The parameter with an index from 0 to 5. */
    public long parameter(int index) {
      return kvm_xen_exit.u.hcall.params(call, index);
    }

    /** Answers with a result. */
    public void respond(long result) {
      kvm_xen_exit.u.hcall.result(call, result);
    }
  }

  /**
   * A dirty ring is full, and the vCPU runs again when it was harvested: KVM_EXIT_DIRTY_RING_FULL.
   */
  record DirtyRingFull() implements Exit {}

  /** An SEV-ES guest's processor waits to be started: KVM_EXIT_AP_RESET_HOLD. */
  record ApResetHold() implements Exit {}

  /** The guest locked the bus, as KVM_CAP_X86_BUS_LOCK_EXIT asked for: KVM_EXIT_X86_BUS_LOCK. */
  record BusLock() implements Exit {}

  /**
   * The guest left no window for an event for too long, as KVM_CAP_X86_NOTIFY_VMEXIT asked for:
   * KVM_EXIT_NOTIFY.
   *
   * @param isContextInvalid whether the processor's state is lost, so that the guest can't go on
   */
  record Notify(boolean isContextInvalid) implements Exit {}

  /** A TDX guest asks for something by TDG.VP.VMCALL and waits for an answer: KVM_EXIT_TDX. */
  final class Tdx implements Exit {
    private final MemorySegment call;
    private final MemorySegment words;

    Tdx(MemorySegment run) {
      this.call = kvm_run.tdx(run);
      this.words = call.asSlice(kvm_run.tdx.nr$offset() + Long.BYTES);
    }

    /** The leaf: what it asks for. */
    public long number() {
      return kvm_run.tdx.nr(call);
    }

    /**
     * A word of the leaf's struct in kvm_run: 0 is the answer, the others are what the leaf
     * defines.
     *
     * @param index from 0
     */
    public long word(int index) {
      return words.getAtIndex(ValueLayout.JAVA_LONG, index);
    }

    /** Sets a word of the leaf's struct: what GetTdVmCallInfo answers with beside its result. */
    public void word(int index, long value) {
      words.setAtIndex(ValueLayout.JAVA_LONG, index, value);
    }

    /** Answers with a result. */
    public void respond(long result) {
      word(0, result);
    }

    @Override
    public String toString() {
      return "TDG.VP.VMCALL 0x" + Long.toHexString(number());
    }
  }

  /**
   * An SNP guest asks for an attestation report with certificates, and waits for them:
   * KVM_EXIT_SNP_REQ_CERTS.
   */
  final class SnpRequestCertificates implements Exit {
    private final MemorySegment request;

    SnpRequestCertificates(MemorySegment run) {
      this.request = kvm_run.snp_req_certs(run);
    }

    /** The guest-physical address where they go. */
    public long gpa() {
      return kvm_exit_snp_req_certs.gpa(request);
    }

    /** How many pages there are for them. */
    public long pages() {
      return kvm_exit_snp_req_certs.npages(request);
    }

    /** Answers that they are there. */
    public void done() {
      kvm_exit_snp_req_certs.ret(request, 0);
    }

    /**
     * Answers that they need more room.
     *
     * @param pages how many pages they need
     */
    public void needs(long pages) {
      kvm_exit_snp_req_certs.npages(request, pages);
      kvm_exit_snp_req_certs.ret(request, -Errno.ENOSPC.negated());
    }

    /**
     * Answers that there are none.
     *
     * @param errno EIO; EAGAIN lets the guest ask again
     */
    public void failed(Errno errno) {
      kvm_exit_snp_req_certs.ret(request, -errno.negated());
    }
  }

  /**
   * An exit that this version does not know, or one of another architecture.
   *
   * @param reason the number in kvm_run
   * @param payload the 256 bytes of kvm_run that begin with the exit's struct. It is a view, valid
   *     until the vCPU runs again; the answer to the exit is written to it
   */
  record Other(int reason, MemorySegment payload) implements Exit {
    @Override
    public String toString() {
      return "exit " + reason;
    }
  }
}
