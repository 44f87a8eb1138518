package dev.iolite.cli.report;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** When a run began, and how long ago that is. */
final class RunClock {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'UTC'").withZone(ZoneOffset.UTC);

  private final Instant began = Instant.now();
  private final long beganNanos = System.nanoTime();

  /** The nanoseconds since it began. */
  long nanos() {
    return System.nanoTime() - beganNanos;
  }

  /** When it began, in words. */
  String began() {
    return DATE.format(began);
  }
}
