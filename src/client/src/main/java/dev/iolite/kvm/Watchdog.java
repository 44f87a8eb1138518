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
import java.util.function.BooleanSupplier;

/**
 * Takes a vCPU out of the guest when its time is up, or when somebody asks for it.
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

  /** How long it may go unnoticed that somebody asks. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

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
   * @param stop whether to take it out before the deadline; asked every {@link #LOOK_NANOS}
   * @throws KernelException if the thread can't be interrupted
   */
  Watch watch(Duration deadline, BooleanSupplier stop) {
    int tid = kernel.interruptible();
    if (tid < 0) {
      throw new KernelException("sigaction", CallTarget.of("the process"), "", -tid);
    }
    return new Watch(tid, deadline, stop);
  }

  /** One run's time. */
  final class Watch implements AutoCloseable {
    private final int tid;
    private final BooleanSupplier stop;
    private final long end;
    private Future<?> alarm;
    private boolean over;
    private boolean expired;
    private boolean stopped;

    private Watch(int tid, Duration deadline, BooleanSupplier stop) {
      this.tid = tid;
      this.stop = stop;
      end = System.nanoTime() + deadline.toNanos();
      alarm = next();
    }

    private Future<?> next() {
      long left = end - System.nanoTime();
      return timer.schedule(this::look, Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
    }

    private synchronized void look() {
      if (over) {
        return;
      }
      expired = end - System.nanoTime() <= 0;
      stopped = !expired && stop.getAsBoolean();
      if (expired || stopped) {
        kvm_run.immediate_exit(run, (byte) 1);
        interrupt();
      } else {
        alarm = next();
      }
    }

    /** The kernel may have no room for one more signal at the moment (EAGAIN). */
    private synchronized void interrupt() {
      if (!over && kernel.interrupt(tid) != 0) {
        alarm = timer.schedule(this::interrupt, AGAIN_MILLIS, TimeUnit.MILLISECONDS);
      }
    }

    synchronized boolean expired() {
      return expired;
    }

    synchronized boolean stopped() {
      return stopped;
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
