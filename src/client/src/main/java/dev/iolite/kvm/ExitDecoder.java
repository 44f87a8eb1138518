package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Makes an {@link Exit} from what the kernel left in a vCPU's kvm_run. */
final class ExitDecoder {
  private static final int MAX_DATA = 16;

  /** The size to which kvm_run's union of exits is padded. */
  private static final long PAYLOAD_BYTES = 256;

  private static final Exit HLT = new Exit.Hlt();

  private final MemorySegment run;
  private final IoView io;
  private final Exit ioOut;
  private final Exit ioIn;
  private final MmioView mmio;
  private final Exit mmioRead;
  private final Exit mmioWrite;
  private final Exit hypercall;

  ExitDecoder(MemorySegment run) {
    this.run = run;
    io = new IoView(run);
    ioOut = new Exit.IoOut(io);
    ioIn = new Exit.IoIn(io);
    mmio = new MmioView(run);
    mmioRead = new Exit.MmioRead(mmio);
    mmioWrite = new Exit.MmioWrite(mmio);
    hypercall = new Exit.Hypercall(run);
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
    return ExitReason.of(reason).map(this::decode).orElseGet(() -> other(reason));
  }

  private Exit decode(ExitReason reason) {
    return switch (reason) {
      case HLT -> HLT;
      case SHUTDOWN -> new Exit.Shutdown();
      case HYPERCALL -> hypercall;
      case IRQ_WINDOW_OPEN -> new Exit.IrqWindowOpen();
      case FAIL_ENTRY -> {
        MemorySegment entry = kvm_run.fail_entry(run);
        yield new Exit.FailEntry(
            kvm_run.fail_entry.hardware_entry_failure_reason(entry), kvm_run.fail_entry.cpu(entry));
      }
      case INTERNAL_ERROR -> {
        MemorySegment error = kvm_run.internal(run);
        yield new Exit.KvmInternalError(
            kvm_run.internal.suberror(error),
            longs(kvm_run.internal.data(error), kvm_run.internal.ndata(error)));
      }
      case MEMORY_FAULT -> {
        MemorySegment fault = kvm_run.memory_fault(run);
        yield new Exit.MemoryFault(
            (kvm_run.memory_fault.flags(fault) & Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE()) != 0,
            kvm_run.memory_fault.gpa(fault),
            kvm_run.memory_fault.size(fault));
      }
      case SYSTEM_EVENT -> {
        MemorySegment event = kvm_run.system_event(run);
        yield new Exit.SystemEvent(
            kvm_run.system_event.type(event),
            longs(kvm_run.system_event.data(event), kvm_run.system_event.ndata(event)));
      }
      case UNKNOWN -> new Exit.Unknown(kvm_run.hw.hardware_exit_reason(kvm_run.hw(run)));
      default -> other(reason.number());
    };
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
