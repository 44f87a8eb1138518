package dev.iolite.kvm;

import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Takes a vCPU out of the guest when its time is up, or when somebody asks for it.
 *
 * <p>There is one thread for each vCPU that has ever run with a deadline. It is armed once for each
 * run, not for each exit.
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

  /** Whether the next run is to end, or the one that is under way; guarded by this. */
  private boolean asked;

  /** The run that is under way; guarded by this. */
  private Optional<Watch> underWay = Optional.empty();

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
   * @param deadline how long the run may take; empty: as long as it likes
   * @param stop whether to take it out before the deadline; asked every {@link #LOOK_NANOS}; empty:
   *     nobody is asked
   * @throws KernelException if the thread can't be interrupted
   */
  synchronized Watch watch(Optional<Duration> deadline, Optional<BooleanSupplier> stop) {
    int tid = kernel.interruptible();
    if (tid < 0) {
      throw new KernelException("sigaction", CallTarget.of("the process"), "", -tid);
    }
    Watch watch = new Watch(tid, deadline, stop);
    underWay = Optional.of(watch);
    if (asked) {
      watch.stop();
    }
    return watch;
  }

  /** Ends the run that is under way, or else the next one before it enters the guest. */
  synchronized void stop() {
    asked = true;
    underWay.ifPresent(Watch::stop);
  }

  /** One run's time. */
  final class Watch implements AutoCloseable {
    private final int tid;
    private final Optional<BooleanSupplier> stop;
    private final OptionalLong end;
    private Optional<Future<?>> alarm = Optional.empty();
    private boolean over;
    private boolean expired;
    private boolean stopped;

    private Watch(int tid, Optional<Duration> deadline, Optional<BooleanSupplier> stop) {
      this.tid = tid;
      this.stop = stop;
      end =
          deadline.isPresent()
              ? OptionalLong.of(System.nanoTime() + deadline.get().toNanos())
              : OptionalLong.empty();
      arm();
    }

    private void arm() {
      if (end.isPresent() || stop.isPresent()) {
        long next = stop.isPresent() ? Math.min(left(), LOOK_NANOS) : left();
        alarm = Optional.of(timer.schedule(this::look, next, TimeUnit.NANOSECONDS));
      }
    }

    private long left() {
      return end.isPresent() ? end.getAsLong() - System.nanoTime() : Long.MAX_VALUE;
    }

    private void look() {
      synchronized (Watchdog.this) {
        if (over || stopped) {
          return;
        }
        expired = left() <= 0;
        if (expired) {
          takeOut();
          return;
        }
      }
      boolean says = false;
      try {
        // Without the lock: whoever is asked may wait for somebody who calls stop().
        says = stop.filter(BooleanSupplier::getAsBoolean).isPresent();
      } finally {
        goOn(says);
      }
    }

    private void goOn(boolean stops) {
      synchronized (Watchdog.this) {
        if (over || stopped) {
          return;
        }
        if (stops) {
          stop();
        } else {
          arm();
        }
      }
    }

    private void stop() {
      stopped = true;
      takeOut();
    }

    private void takeOut() {
      kvm_run.immediate_exit(run, (byte) 1);
      interrupt();
    }

    /** The kernel may have no room for one more signal at the moment (EAGAIN). */
    private void interrupt() {
      synchronized (Watchdog.this) {
        if (!over && kernel.interrupt(tid) != 0) {
          alarm = Optional.of(timer.schedule(this::interrupt, AGAIN_MILLIS, TimeUnit.MILLISECONDS));
        }
      }
    }

    boolean expired() {
      synchronized (Watchdog.this) {
        return expired;
      }
    }

    /** Whether somebody asked for the end of the run, who is thereby answered. */
    boolean stopped() {
      synchronized (Watchdog.this) {
        asked &= !stopped;
        return stopped;
      }
    }

    /** Ends the watch: nothing is interrupted after this, and the vCPU can enter the guest. */
    @Override
    public void close() {
      synchronized (Watchdog.this) {
        over = true;
        underWay = Optional.empty();
        alarm.ifPresent(armed -> armed.cancel(false));
        kvm_run.immediate_exit(run, (byte) 0);
      }
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
