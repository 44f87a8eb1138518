package dev.iolite.mock.door;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.uapi.seccomp.Seccomp;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;

/**
 * Runs a program that was not written for the model on a model, unmodified and without privileges.
 * The program and its children see the model's devices; all else is the real machine.
 */
public final class Door {
  private static final int SIGNALLED = 128;
  private static final int SIGNAL_MASK = 0x7f;
  private static final int STATUS_SHIFT = 8;
  private static final int STATUS_MASK = 0xff;

  private final HostKernel host = new HostKernel();
  private final HostSupervisor supervisor = new HostSupervisor();
  private final MockKernel.Builder description;
  private final BiFunction<Kernel, CallerMemory, Kernel> calls;

  /**
   * A door to a model that is started with each program.
   *
   * @param description what the host is like; how the caller is reached is set here
   * @param calls makes of the model, and the memory of whoever calls it, what the program's calls
   *     go through, such as a tracer
   */
  public Door(MockKernel.Builder description, BiFunction<Kernel, CallerMemory, Kernel> calls) {
    this.description = description;
    this.calls = calls;
  }

  /**
   * Runs a program until it and all its children have ended. It has this process's standard
   * streams, working directory and environment, and gets the signals that this process is sent to
   * be stopped, or told something (SIGTERM, SIGHUP, SIGUSR1).
   *
   * @param command the program and its arguments
   * @return its exit status, or 128 and the number of the signal that ended it
   * @throws PreconditionException if it can't be started, or the machine does not let it be served
   */
  public int run(List<String> command) throws InterruptedException {
    Map<String, String> environment = System.getenv();
    Program program = Program.find(command, environment.getOrDefault("PATH", "/usr/bin:/bin"));
    PtraceScope.require(new SysFs(host));
    List<String> variables =
        environment.entrySet().stream().map(each -> each.getKey() + "=" + each.getValue()).toList();
    Processes processes = new Processes(host, supervisor);
    try (MockKernel model = description.caller(processes).files(processes).build()) {
      Serving serving =
          new Serving(host, supervisor, model, calls.apply(model, processes), processes);
      CompletableFuture<Integer> process = new CompletableFuture<>();
      PassedSignals signals =
          new PassedSignals(signal -> {
            CompletableFuture<Void> _ =
                process.thenAccept(number -> supervisor.kill(number, signal));
          });
      try (signals) {
        process.complete(start(program, variables, serving));
        return await(process.join(), serving, signals);
      } finally {
        serving.close();
      }
    }
  }

  private int await(int process, Serving serving, PassedSignals signals)
      throws InterruptedException {
    serving.started(process);
    // As system(3) does: who presses Ctrl-C means the program, which gets the signal, too.
    long interrupted = supervisor.ignore(Seccomp.SIGINT());
    long quitted = supervisor.ignore(Seccomp.SIGQUIT());
    try {
      int ended = serving.awaitStatus();
      // Those that it has started may go on; who is sent a signal then is this process.
      signals.close();
      serving.awaitEnd();
      return status(ended);
    } finally {
      supervisor.handle(Seccomp.SIGINT(), interrupted);
      supervisor.handle(Seccomp.SIGQUIT(), quitted);
    }
  }

  /** The filter is for good, so it is that of a thread which does nothing but this. */
  private int start(Program program, List<String> variables, Serving serving)
      throws InterruptedException {
    ProcessMaps.Area own =
        ProcessMaps.areaAt(host, "self", supervisor.callingCode())
            .orElseThrow(() -> new IllegalStateException("the code of libc is not mapped"));
    CompletableFuture<Integer> listening = new CompletableFuture<>();
    CompletableFuture<Integer> started = new CompletableFuture<>();
    Thread starter =
        Thread.ofPlatform()
            .daemon()
            .name("door")
            .start(() -> {
              try (Arena arena = Arena.ofConfined()) {
                int process =
                    supervisor.start(
                        Filter.instructions(arena, own),
                        (int)
                            (Seccomp.SECCOMP_FILTER_FLAG_NEW_LISTENER()
                                | Seccomp.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV()),
                        program.file().toString(),
                        program.arguments(),
                        variables,
                        listening::complete);
                listening.complete(process);
                started.complete(process);
              } catch (RuntimeException | Error e) {
                listening.completeExceptionally(e);
                started.completeExceptionally(e);
              }
            });
    int listener = listening.join();
    if (listener >= 0) {
      serving.begin(listener);
    }
    starter.join();
    int process = started.join();
    if (process >= 0) {
      return process;
    }
    throw refused(program, Errno.of(-process), serving.hasBegun());
  }

  private static PreconditionException refused(Program program, Errno errno, boolean isFiltered) {
    return isFiltered
        ? new PreconditionException(
            "run " + program.file(),
            "it can't be started: " + errno,
            "its interpreter is missing, or it is no program",
            "run it without iolite to see what is wrong with it")
        : new PreconditionException(
            "answer the system calls of " + program.file(),
            "the kernel does not allow it: " + errno,
            "it is older than Linux 5.19, was built without CONFIG_SECCOMP_FILTER, or a container"
                + " or another supervisor has the calls of this process already",
            "run it on Linux 5.19 or newer; in a container, with --security-opt"
                + " seccomp=unconfined");
  }

  private static int status(int ended) {
    int signal = ended & SIGNAL_MASK;
    return signal == 0 ? (ended >> STATUS_SHIFT) & STATUS_MASK : SIGNALLED + signal;
  }
}
