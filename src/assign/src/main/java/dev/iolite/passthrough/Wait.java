package dev.iolite.passthrough;

import dev.iolite.steps.ScenarioException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for a device that has to be polled. */
final class Wait {
  private static final long BETWEEN_LOOKS_NANOS = 50_000;

  private Wait() {}

  /**
   * Polls until the condition holds.
   *
   * @param what what is waited for, for the message
   * @throws ScenarioException if time runs out first
   */
  static void until(String what, Duration atMost, BooleanSupplier condition) {
    long end = System.nanoTime() + atMost.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new ScenarioException(
            "waited " + atMost.toMillis() + " ms for " + what + ", which did not happen");
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
    }
  }
}
