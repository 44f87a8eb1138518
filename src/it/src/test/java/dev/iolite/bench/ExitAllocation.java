package dev.iolite.bench;

import com.sun.management.ThreadMXBean;
import dev.iolite.kvm.Exit;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * Prints what {@link ExitBenchmark}'s guest takes from the Java heap, by the thread's own counter:
 * bytes for each exit, for each run with a deadline, and for each run without one.
 */
public final class ExitAllocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final int EXITS = 512;

  /** Long enough for all of it to be compiled. */
  private static final int RUNS = 500;

  private final ExitBenchmark guest = new ExitBenchmark();
  private final Predicate<Exit> answer = this::answer;
  private int exits;
  private long first;
  private long last;

  private ExitAllocation() {}

  /** Prints the three numbers. */
  public static void main(String[] arguments) {
    ExitAllocation measured = new ExitAllocation();
    measured.guest.start();
    measured.print();
    measured.guest.stop();
  }

  private void print() {
    long without = perRun(() -> guest.vcpu().run(answer));
    long with = perRun(() -> guest.vcpu().run(DEADLINE, answer));
    System.out.printf("%.2f %d %d%n", (last - first) / (EXITS - 1.0), with, without);
  }

  /** What a run takes beside its exits, in the last of many. */
  private long perRun(Runnable run) {
    long bytes = 0;
    for (int i = 0; i < RUNS; i++) {
      exits = 0;
      long before = THREADS.getCurrentThreadAllocatedBytes();
      run.run();
      bytes = THREADS.getCurrentThreadAllocatedBytes() - before - (last - first);
    }
    return bytes;
  }

  private boolean answer(Exit exit) {
    ExitBenchmark.respond(exit, exits);
    if (exits == 0) {
      first = THREADS.getCurrentThreadAllocatedBytes();
    }
    if (++exits == EXITS) {
      last = THREADS.getCurrentThreadAllocatedBytes();
    }
    return exits < EXITS;
  }
}
