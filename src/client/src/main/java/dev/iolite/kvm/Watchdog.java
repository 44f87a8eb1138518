package dev.iolite.kvm;

import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Takes a vCPU out of the guest when its time is up.
 *
 * <p>There is one thread for each vCPU that has ever run. It is armed once for each run, not for
 * each exit.
 *
 * <p>No guest escapes it. It first sets {@code immediate_exit} in kvm_run, then sends the vCPU's
 * thread a signal. KVM_RUN reads {@code immediate_exit} when it begins. If it reads it as set, it
 * returns EINTR (virt/kvm/kvm_main.c:kvm_vcpu_ioctl, arch/x86/kvm/x86.c: kvm_arch_vcpu_ioctl_run).
 * If it read it as not set, it had begun before the signal was sent, so the signal finds the thread
 * in KVM_RUN: it takes the processor out of the guest, or wakes it from its halt, and keeps it from
 * entering again until KVM_RUN has returned EINTR (kernel/entry/virt.c:xfer_to_guest_mode_work).
 */
final class Watchdog implements AutoCloseable {
  private static final long AGAIN_MILLIS = 10;

  private final Kernel kernel;
  private final MemorySegment run;
  private final ScheduledThreadPoolExecutor timer;

  Watchdog(Kernel kernel, MemorySegment run, String name) {
    this.kernel = kernel;
    this.run = run;
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("deadline of " + name).factory());
    timer.setRemoveOnCancelPolicy(true);
  }

  /**
   * Watches over the calling thread until the result is closed.
   *
   * @throws KernelException if the thread can't be interrupted
   */
  Watch watch(Duration deadline) {
    int tid = kernel.interruptible();
    if (tid < 0) {
      throw new KernelException("sigaction", CallTarget.of("the process"), "", -tid);
    }
    return new Watch(tid, deadline);
  }

  /** One run's time. */
  final class Watch implements AutoCloseable {
    private final int tid;
    private Future<?> alarm;
    private boolean over;
    private boolean expired;

    private Watch(int tid, Duration deadline) {
      this.tid = tid;
      alarm = timer.schedule(this::expire, deadline.toNanos(), TimeUnit.NANOSECONDS);
    }

    private synchronized void expire() {
      if (!over) {
        expired = true;
        kvm_run.immediate_exit(run, (byte) 1);
        // The kernel may have no room for one more signal at the moment (EAGAIN).
        if (kernel.interrupt(tid) != 0) {
          alarm = timer.schedule(this::expire, AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        }
      }
    }

    synchronized boolean expired() {
      return expired;
    }

    /** Ends the watch: nothing is interrupted after this, and the vCPU can enter the guest. */
    @Override
    public synchronized void close() {
      over = true;
      alarm.cancel(false);
      kvm_run.immediate_exit(run, (byte) 0);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
