package dev.iolite.vmm;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The end of a guest: the first one that comes counts. */
final class End {
  private static final long LOOK_MILLIS = 100;

  private @Nullable Outcome outcome;
  private @Nullable Throwable failure;

  synchronized void with(Outcome how) {
    if (!hasCome()) {
      outcome = how;
      notifyAll();
    }
  }

  synchronized void failed(Throwable why) {
    if (!hasCome()) {
      failure = why;
      notifyAll();
    } else if (failure != null) {
      failure.addSuppressed(why);
    }
  }

  synchronized boolean hasCome() {
    return outcome != null || failure != null;
  }

  /** Waits for it, and stops the guest if somebody asks or interrupts the waiting thread. */
  synchronized Outcome await(BooleanSupplier stop) {
    while (!hasCome()) {
      try {
        wait(LOOK_MILLIS);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        with(Outcome.STOPPED);
      }
      if (stop.getAsBoolean()) {
        with(Outcome.STOPPED);
      }
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    return Objects.requireNonNull(outcome);
  }
}
