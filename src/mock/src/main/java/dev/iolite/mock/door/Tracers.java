package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.SysFs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tracers of those processes that have mapped registers. All others are not traced, and a
 * process is no longer once it has begun another program.
 */
final class Tracers {
  private static final Pattern TRACER = Pattern.compile("\nTracerPid:\t(\\d+)");

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final Processes processes;
  private final Placeholders placeholders;
  private final Tracer.Listener listener;
  private final List<Thread> threads = new ArrayList<>();

  Tracers(
      HostKernel host,
      HostSupervisor supervisor,
      Processes processes,
      Placeholders placeholders,
      Tracer.Listener listener) {
    this.host = host;
    this.supervisor = supervisor;
    this.processes = processes;
    this.placeholders = placeholders;
    this.listener = listener;
  }

  /**
   * Traces a process from now on, all its threads and those that it makes.
   *
   * @return 0, or a negated errno; EPERM if another program traces it
   */
  synchronized int trace(ProgramProcess process) {
    Matcher tracer =
        TRACER.matcher(
            new SysFs(host).readIfPresent("/proc/" + process.number() + "/status").orElse(""));
    if (!tracer.find()) {
      return Errno.ESRCH.negated();
    }
    if (!tracer.group(1).equals("0")) {
      return Files.exists(Path.of("/proc/self/task/" + tracer.group(1)))
          ? 0
          : Errno.EPERM.negated();
    }
    Tracer made = new Tracer(host, supervisor, processes, placeholders, listener);
    threads.removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
    threads.add(
        Thread.ofPlatform()
            .daemon()
            .name("door's tracer of " + process.number())
            .start(() -> made.run(process.number())));
    return made.awaitBegun();
  }

  /** Waits until all traced processes have ended. */
  void close() throws InterruptedException {
    List<Thread> all;
    synchronized (this) {
      all = List.copyOf(threads);
    }
    for (Thread thread : all) {
      thread.join();
    }
  }
}
