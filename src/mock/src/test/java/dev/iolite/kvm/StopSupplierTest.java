package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.mock.MockKernel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a run asks, whether it is to stop, may do what it likes. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StopSupplierTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  /** A guest that jumps to itself runs until it is asked the second time: from another thread. */
  private static void run(Guest guest, Duration deadline, BooleanSupplier asked) {
    Thread runs = Thread.currentThread();
    guest.vcpu.run(
        deadline, () -> Thread.currentThread() != runs && asked.getAsBoolean(), _ -> false);
  }

  @Test
  void itMayWaitForSomebodyWhoStopsTheVcpu() {
    try (MockKernel model = MockKernel.plain();
        Guest guest = new Guest(model, 0xeb, 0xfe)) {
      BooleanSupplier waits =
          () -> {
            Thread stops = new Thread(guest.vcpu::stop);
            stops.start();
            try {
              stops.join();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return false;
          };
      assertThatThrownBy(() -> run(guest, LONG, waits)).isInstanceOf(GuestStoppedException.class);
    }
  }

  @Test
  void theDeadlineHoldsThoughItFails() {
    try (MockKernel model = MockKernel.plain();
        Guest guest = new Guest(model, 0xeb, 0xfe)) {
      BooleanSupplier fails =
          () -> {
            throw new IllegalStateException("on purpose");
          };
      assertThatThrownBy(() -> run(guest, Duration.ofMillis(300), fails))
          .isInstanceOf(GuestDeadlineException.class);
    }
  }
}
