package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the kernel can't do at the moment is asked for again. */
class RetryTest {
  /** Sends no signal for a while; its guests stay in KVM_RUN until one arrives. */
  private static final class BusyKernel extends ForwardingKernel {
    private final AtomicInteger asked = new AtomicInteger();
    private final CountDownLatch sent = new CountDownLatch(1);
    private final int refusals;

    BusyKernel(MockKernel inner, int refusals) {
      super(inner);
      this.refusals = refusals;
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      if (request != KvmIoctls.KVM_RUN.number()) {
        return super.ioctl(fd, request, argument);
      }
      try {
        sent.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return Errno.EINTR.negated();
    }

    @Override
    public int interrupt(int tid) {
      if (asked.incrementAndGet() <= refusals) {
        return Errno.EAGAIN.negated();
      }
      sent.countDown();
      return 0;
    }
  }

  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aGuestIsStoppedThoughTheFirstSignalsFindNoRoom() {
    try (MockKernel model = MockKernel.plain()) {
      BusyKernel kernel = new BusyKernel(model, 3);
      try (Guest guest = new Guest(kernel, 0xf4)) {
        assertThatThrownBy(() -> guest.vcpu.run(Duration.ofMillis(1)))
            .isInstanceOf(GuestDeadlineException.class);
        assertThat(kernel.asked).hasValue(4);
      }
    }
  }

  /** arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_run, of a processor that waits for INIT. */
  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aGuestThatWaitsToBeStartedIsRunAgainUntilTheDeadline() {
    try (MockKernel model = MockKernel.plain()) {
      Calls runs = Calls.of(KvmIoctls.KVM_RUN);
      Faults once = Faults.none().answer(runs, 1, Errno.EAGAIN.negated());
      try (Guest guest = new Guest(new FaultyKernel(model, once), 0xf4)) {
        assertThat(guest.vcpu.run(Duration.ofSeconds(30))).isInstanceOf(Exit.Hlt.class);
      }
      ForwardingKernel never =
          new ForwardingKernel(model) {
            @Override
            public int ioctl(int fd, long request, long argument) {
              return request == KvmIoctls.KVM_RUN.number()
                  ? Errno.EAGAIN.negated()
                  : super.ioctl(fd, request, argument);
            }
          };
      try (Guest guest = new Guest(never, 0xf4)) {
        assertThatThrownBy(() -> guest.vcpu.run(Duration.ofMillis(1)))
            .isInstanceOf(GuestDeadlineException.class);
      }
    }
  }

  @Test
  void aRangeIsPreFaultedThoughTheKernelAsksForPatience() {
    try (MockKernel model = MockKernel.plain()) {
      Calls calls = Calls.of(KvmIoctls.KVM_PRE_FAULT_MEMORY);
      Faults faults =
          Faults.none()
              .answer(calls, 1, Errno.EAGAIN.negated())
              .answer(calls, 2, Errno.EAGAIN.negated());
      FaultyKernel kernel = new FaultyKernel(model, faults);
      try (Guest guest = new Guest(kernel, 0xf4)) {
        guest.vcpu.preFault(Guest.GPA, Guest.BYTES);
        assertThat(kernel.injected()).hasSize(2);
        assertThatThrownBy(() -> guest.vcpu.preFault(Guest.GPA + Guest.BYTES, Guest.BYTES))
            .isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
      }
    }
  }
}
