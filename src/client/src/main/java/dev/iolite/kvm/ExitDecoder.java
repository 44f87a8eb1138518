package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debug_exit_arch;
import dev.iolite.uapi.kvm.kvm_hyperv_exit;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_xen_exit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Makes an {@link Exit} from what the kernel left in a vCPU's kvm_run. */
final class ExitDecoder {
  private static final int MAX_DATA = 16;

  /** The size to which kvm_run's union of exits is padded. */
  private static final long PAYLOAD_BYTES = 256;

  private static final MsrExitReason[] MSR_REASONS = MsrExitReason.values();

  private static final Exit HLT = new Exit.Hlt();

  private final MemorySegment run;
  private final IoView io;
  private final Exit ioOut;
  private final Exit ioIn;
  private final MmioView mmio;
  private final Exit mmioRead;
  private final Exit mmioWrite;
  private final Exit hypercall;
  private final Exit msrRead;
  private final Exit msrWrite;

  ExitDecoder(MemorySegment run) {
    this.run = run;
    io = new IoView(run);
    ioOut = new Exit.IoOut(io);
    ioIn = new Exit.IoIn(io);
    mmio = new MmioView(run);
    mmioRead = new Exit.MmioRead(mmio);
    mmioWrite = new Exit.MmioWrite(mmio);
    hypercall = new Exit.Hypercall(run);
    msrRead = new Exit.MsrRead(run);
    msrWrite = new Exit.MsrWrite(run);
  }

  /** The exit. Those that a running guest makes often come first, and allocate nothing. */
  Exit decode() {
    int reason = kvm_run.exit_reason(run);
    if (reason == Kvm.KVM_EXIT_IO()) {
      return io.isOut() ? ioOut : ioIn;
    }
    if (reason == Kvm.KVM_EXIT_MMIO()) {
      return mmio.isWrite() ? mmioWrite : mmioRead;
    }
    if (reason == Kvm.KVM_EXIT_X86_RDMSR()) {
      return msrRead;
    }
    if (reason == Kvm.KVM_EXIT_X86_WRMSR()) {
      return msrWrite;
    }
    if (reason == Kvm.KVM_EXIT_HYPERCALL()) {
      return hypercall;
    }
    if (reason == Kvm.KVM_EXIT_HLT()) {
      return HLT;
    }
    return ExitReason.of(reason).map(this::decode).orElseGet(() -> other(reason));
  }

  private Exit decode(ExitReason reason) {
    return switch (reason) {
      // The frequent ones, which are decoded already.
      case IO, MMIO, X86_RDMSR, X86_WRMSR, HYPERCALL, HLT -> throw new AssertionError(reason);
      case UNKNOWN -> new Exit.Unknown(kvm_run.hw.hardware_exit_reason(kvm_run.hw(run)));
      case EXCEPTION -> {
        MemorySegment exception = kvm_run.ex(run);
        yield new Exit.UnhandledException(
            kvm_run.ex.exception(exception), kvm_run.ex.error_code(exception));
      }
      case DEBUG -> {
        MemorySegment arch = kvm_run.debug.arch(kvm_run.debug(run));
        yield new Exit.Debug(
            kvm_debug_exit_arch.exception(arch),
            kvm_debug_exit_arch.pc(arch),
            kvm_debug_exit_arch.dr6(arch),
            kvm_debug_exit_arch.dr7(arch));
      }
      case IRQ_WINDOW_OPEN -> new Exit.IrqWindowOpen();
      case SHUTDOWN -> new Exit.Shutdown();
      case FAIL_ENTRY -> {
        MemorySegment entry = kvm_run.fail_entry(run);
        yield new Exit.FailEntry(
            kvm_run.fail_entry.hardware_entry_failure_reason(entry), kvm_run.fail_entry.cpu(entry));
      }
      case INTR -> new Exit.Interrupted();
      case SET_TPR -> new Exit.SetTpr();
      case TPR_ACCESS -> {
        MemorySegment access = kvm_run.tpr_access(run);
        yield new Exit.TprAccess(
            kvm_run.tpr_access.rip(access), kvm_run.tpr_access.is_write(access) != 0);
      }
      case NMI -> new Exit.Nmi();
      case INTERNAL_ERROR -> {
        MemorySegment error = kvm_run.internal(run);
        yield new Exit.KvmInternalError(
            kvm_run.internal.suberror(error),
            longs(kvm_run.internal.data(error), kvm_run.internal.ndata(error)));
      }
      case SYSTEM_EVENT -> {
        MemorySegment event = kvm_run.system_event(run);
        yield new Exit.SystemEvent(
            kvm_run.system_event.type(event),
            longs(kvm_run.system_event.data(event), kvm_run.system_event.ndata(event)));
      }
      case IOAPIC_EOI ->
          new Exit.IoapicEoi(Byte.toUnsignedInt(kvm_run.eoi.vector(kvm_run.eoi(run))));
      case HYPERV -> hyperv();
      case DIRTY_RING_FULL -> new Exit.DirtyRingFull();
      case AP_RESET_HOLD -> new Exit.ApResetHold();
      case X86_BUS_LOCK -> new Exit.BusLock();
      case XEN ->
          kvm_xen_exit.type(kvm_run.xen(run)) == Kvm.KVM_EXIT_XEN_HCALL()
              ? new Exit.XenHypercall(run)
              : other(reason.number());
      case NOTIFY ->
          new Exit.Notify(
              (kvm_run.notify.flags(kvm_run.notify(run)) & Kvm.KVM_NOTIFY_CONTEXT_INVALID()) != 0);
      case MEMORY_FAULT -> {
        MemorySegment fault = kvm_run.memory_fault(run);
        yield new Exit.MemoryFault(
            (kvm_run.memory_fault.flags(fault) & Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE()) != 0,
            kvm_run.memory_fault.gpa(fault),
            kvm_run.memory_fault.size(fault));
      }
      case TDX -> new Exit.Tdx(run);
      case SNP_REQ_CERTS -> new Exit.SnpRequestCertificates(run);
    };
  }

  private Exit hyperv() {
    MemorySegment exit = kvm_run.hyperv(run);
    int type = kvm_hyperv_exit.type(exit);
    if (type == Kvm.KVM_EXIT_HYPERV_HCALL()) {
      return new Exit.HypervHypercall(run);
    }
    if (type == Kvm.KVM_EXIT_HYPERV_SYNDBG()) {
      return new Exit.HypervDebugger(run);
    }
    if (type == Kvm.KVM_EXIT_HYPERV_SYNIC()) {
      MemorySegment synic = kvm_hyperv_exit.u.synic(kvm_hyperv_exit.u(exit));
      return new Exit.HypervSynic(
          kvm_hyperv_exit.u.synic.msr(synic),
          kvm_hyperv_exit.u.synic.control(synic),
          kvm_hyperv_exit.u.synic.evt_page(synic),
          kvm_hyperv_exit.u.synic.msg_page(synic));
    }
    return other(ExitReason.HYPERV.number());
  }

  static MsrExitReason msrReason(int bits) {
    for (MsrExitReason reason : MSR_REASONS) {
      if ((bits & reason.bit()) != 0) {
        return reason;
      }
    }
    throw new IllegalStateException("an MSR exit without a reason: " + bits);
  }

  private Exit other(int reason) {
    return new Exit.Other(reason, run.asSlice(kvm_run.hw$offset(), PAYLOAD_BYTES));
  }

  private static List<Long> longs(MemorySegment data, int count) {
    List<Long> longs = new ArrayList<>();
    for (int i = 0; i < Math.clamp(count, 0, MAX_DATA); i++) {
      longs.add(data.getAtIndex(ValueLayout.JAVA_LONG, i));
    }
    return longs;
  }
}
