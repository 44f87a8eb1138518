package dev.iolite.bench;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.libc.Libc;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.TearDown;

/** A cheap ioctl with its errno; scripts/bench compares it with the same loop in C. */
public class IoctlBenchmark extends FastestWindow {
  private static final int CALLS = 1024;

  private final Fd fd =
      Fd.owned(new HostKernel(), FdKind.KVM, descriptor(), "the descriptor to measure");

  /** Without KVM, the same number on an eventfd, which answers ENOTTY. */
  static int descriptor() {
    Kernel kernel = new HostKernel();
    int kvm = Fd.tryOpen(kernel, "/dev/kvm", Libc.O_RDWR());
    return kvm >= 0 ? kvm : EventFd.create(kernel).fd().number();
  }

  /** The loop that C makes, too; the sum keeps it from being optimised away. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long ioctl() {
    long sum = 0;
    for (int i = 0; i < CALLS; i++) {
      sum += fd.tryIoctl(KvmIoctls.KVM_GET_API_VERSION, 0);
    }
    return sum;
  }

  /** Closes the descriptor. */
  @TearDown
  public void close() {
    fd.close();
  }
}
