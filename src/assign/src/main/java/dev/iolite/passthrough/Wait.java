package dev.iolite.passthrough;

import dev.iolite.steps.ScenarioException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Waits for devices that have to be polled. Once the work is to be stopped, a device gets a last
 * moment, on the way forward and on the way back: one that works at all needs no more.
 */
final class Wait {
  private static final long BETWEEN_LOOKS_NANOS = 50_000;
  private static final long LAST_MOMENT_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private final BooleanSupplier stop;

  /**
   * Waits as long as the work goes on.
   *
   * @param stop whether it is to be stopped
   */
  Wait(BooleanSupplier stop) {
    this.stop = stop;
  }

  /**
   * Polls until the condition holds.
   *
   * @param what what is waited for, for the message
   * @throws ScenarioException if time runs out first
   */
  void until(String what, Duration atMost, BooleanSupplier condition) {
    long end = System.nanoTime() + atMost.toNanos();
    boolean isLast = false;
    while (!condition.getAsBoolean()) {
      if (!isLast && stop.getAsBoolean()) {
        isLast = true;
        long left = Math.min(LAST_MOMENT_NANOS, end - System.nanoTime());
        end = System.nanoTime() + left;
      }
      if (System.nanoTime() - end > 0) {
        throw new ScenarioException(
            isLast
                ? "stopped while waiting for " + what
                : "waited " + atMost.toMillis() + " ms for " + what + ", which did not happen");
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
    }
  }
}
