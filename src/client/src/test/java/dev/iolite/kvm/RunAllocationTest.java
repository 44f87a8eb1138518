package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a running guest takes from the Java heap, on a KVM that does nothing but exit. */
class RunAllocationTest {
  private static final int BYTES = 4096;
  private static final int EXITS = 10_000;

  /** More than it takes until all of it is compiled. */
  private static final int MOST_RUNS = 200;

  private static final Duration LONG = Duration.ofMinutes(1);
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final int DATA = 0x900;

  private MemorySegment state = MemorySegment.NULL;
  private final Kernel kernel =
      new ForwardingKernel(new HostKernel()) {
        @Override
        public int ioctl(int fd, long request, long argument) {
          return 0;
        }

        @Override
        public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
          long at = super.mmap(0, bytes, prot, Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0);
          state = MemorySegment.ofAddress(at).reinterpret(bytes);
          return at;
        }
      };

  private final EventFd stub = EventFd.create(kernel);
  private final Vcpu vcpu =
      new Vcpu(
          Fd.borrowed(kernel, FdKind.KVM_VCPU, stub.fd().number(), "vCPU"),
          0,
          Optional.empty(),
          BYTES,
          0,
          () -> 0,
          _ -> {});

  private final Predicate<Exit> goesOn = this::goesOn;
  private int exits;
  private long first;
  private long last;

  @AfterEach
  void close() {
    vcpu.close();
    stub.close();
  }

  private boolean goesOn(Exit exit) {
    switch (exit) {
      case Exit.IoIn in -> in.respond(exits);
      case Exit.MmioRead read -> read.respond(exits);
      case Exit.Hypercall call -> call.respond(call.argument(0));
      case Exit.MsrRead msr -> msr.respond(msr.index());
      default -> throw new AssertionError(exit);
    }
    if (exits == 0) {
      first = THREADS.getCurrentThreadAllocatedBytes();
    }
    if (exits == EXITS) {
      last = THREADS.getCurrentThreadAllocatedBytes();
    }
    return exits++ < EXITS;
  }

  static List<Integer> frequent() {
    return List.of(
        Kvm.KVM_EXIT_IO(), Kvm.KVM_EXIT_MMIO(), Kvm.KVM_EXIT_HYPERCALL(), Kvm.KVM_EXIT_X86_RDMSR());
  }

  @ParameterizedTest
  @MethodSource("frequent")
  void anExitAllocatesNothing(int reason) {
    kvm_run.exit_reason(state, reason);
    if (reason == Kvm.KVM_EXIT_IO()) {
      MemorySegment io = kvm_run.io(state);
      kvm_run.io.size(io, (byte) 1);
      kvm_run.io.count(io, 1);
      kvm_run.io.data_offset(io, DATA);
    }
    if (reason == Kvm.KVM_EXIT_MMIO()) {
      kvm_run.mmio.len(kvm_run.mmio(state), Integer.BYTES);
    }
    long least = Long.MAX_VALUE;
    for (int i = 0; i < MOST_RUNS && least != 0; i++) {
      exits = 0;
      vcpu.run(LONG, goesOn);
      least = last - first;
    }
    assertThat(least).as("bytes of %d exits", EXITS).isZero();
  }
}
