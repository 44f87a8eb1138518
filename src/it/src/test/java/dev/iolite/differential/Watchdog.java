package dev.iolite.differential;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Ends a process from which nothing has come for too long. */
final class Watchdog {
  private final Process process;
  private final Duration longestSilence;
  private volatile long fedAt = System.nanoTime();
  private volatile boolean hasBitten;

  private Watchdog(Process process, Duration longestSilence) {
    this.process = process;
    this.longestSilence = longestSilence;
  }

  /** Watches a process until it ends. */
  static Watchdog of(Process process, Duration longestSilence) {
    Watchdog watchdog = new Watchdog(process, longestSilence);
    Thread.ofPlatform().daemon().name("watchdog").start(watchdog::watch);
    return watchdog;
  }

  private void watch() {
    try {
      while (!process.waitFor(longestSilence.toMillis() / 10 + 1, TimeUnit.MILLISECONDS)) {
        if (System.nanoTime() - fedAt > longestSilence.toNanos()) {
          hasBitten = true;
          process.destroy();
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Something has come. */
  void feed() {
    fedAt = System.nanoTime();
  }

  /** Whether it ended the process. */
  boolean hasBitten() {
    return hasBitten;
  }
}
