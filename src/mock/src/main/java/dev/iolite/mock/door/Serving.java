package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.seccomp_notif;
import dev.iolite.uapi.seccomp.seccomp_notif_resp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Answers the program's calls. One thread is on duty: it waits for a call, answers it, and waits
 * for the next, without another thread being woken. A call that blocks, as a guest that runs, keeps
 * its thread, and another one goes on duty.
 */
final class Serving implements Tracer.Listener {
  private static final long LOOK_MILLIS = 5;
  private static final int MOST_IDLE = 4;
  private static final int HEXADECIMAL = 16;
  private static final int NONE = -1;
  private static final Pattern SIGNALS =
      Pattern.compile(
          "\nSigPnd:\t(\\p{XDigit}+)\nShdPnd:\t(\\p{XDigit}+)\nSigBlk:\t(\\p{XDigit}+)");

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final MockKernel model;
  private final Kernel kernel;
  private final Processes processes;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final List<Thread> threads = new ArrayList<>();

  /** Those that are not on duty and have nothing to do; the last one comes first. */
  private final Deque<Server> idle = new ArrayDeque<>();

  /** Calls that are being answered, by the number of the thread that does. */
  private final Map<Integer, Work> inProgress = new ConcurrentHashMap<>();

  /** How the program's own process has ended: its tracer or its parent is told, not both. */
  private final CompletableFuture<Integer> status = new CompletableFuture<>();

  /** Traced threads that have ended before it was known which process is the program's own. */
  private final Map<Integer, Integer> endedBefore = new HashMap<>();

  private int process = NONE;
  private boolean isOver;
  private volatile @Nullable Server onDuty;
  private int listener = -1;
  private Supplier<Server> servers =
      () -> {
        throw new IllegalStateException("not begun");
      };
  private Optional<ProgramFiles> files = Optional.empty();
  private Optional<Tracers> tracers = Optional.empty();
  private Optional<RuntimeException> failure = Optional.empty();

  Serving(
      HostKernel host,
      HostSupervisor supervisor,
      MockKernel model,
      Kernel kernel,
      Processes processes) {
    this.host = host;
    this.supervisor = supervisor;
    this.model = model;
    this.kernel = kernel;
    this.processes = processes;
  }

  /** The filter is on: its notifications are read from here. */
  synchronized void begin(int descriptor) {
    listener = descriptor;
    Placeholders placeholders = new Placeholders(host, supervisor);
    Tracers begun = new Tracers(host, supervisor, processes, placeholders, this);
    tracers = Optional.of(begun);
    ProgramFiles made =
        new ProgramFiles(host, model, kernel, processes, placeholders, begun, descriptor);
    files = Optional.of(made);
    MachineDirectories machines = new MachineDirectories(host, model, processes, made);
    PathCalls paths = new PathCalls(model, kernel, made, machines);
    DirectoryCalls directories = new DirectoryCalls(paths, made, machines, processes);
    MessageCalls messages = new MessageCalls(host, supervisor, made, this::isToEnd);
    FileCalls fileCalls = new FileCalls(kernel, paths, made, machines);
    servers = () -> new Server(paths, directories, messages, fileCalls);
    relieve();
    Thread.ofPlatform().daemon().name("door's watch").start(this::watch);
  }

  synchronized boolean hasBegun() {
    return listener >= 0;
  }

  /** The program's own process has been started. */
  synchronized void started(int number) {
    process = number;
    Optional.ofNullable(endedBefore.get(number)).ifPresent(status::complete);
    Thread.ofPlatform()
        .daemon()
        .name("door's program")
        .start(() -> {
          int ending = supervisor.awaitEnd(number);
          if (ending >= 0) {
            status.complete(ending);
          }
        });
  }

  @Override
  public synchronized void ended(int thread, int ending) {
    if (process == NONE) {
      endedBefore.put(thread, ending);
    } else if (thread == process) {
      status.complete(ending);
    }
  }

  /** How the program's own process has ended, as of waitpid(2). */
  int awaitStatus() throws InterruptedException {
    try {
      return status.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until the program and all its children have ended. */
  void awaitEnd() throws InterruptedException {
    ended.await();
  }

  /** Ends: what the program left open is closed. */
  void close() throws InterruptedException {
    List<Thread> all;
    synchronized (this) {
      all = List.copyOf(threads);
    }
    for (Thread thread : all) {
      thread.join();
    }
    if (tracers.isPresent()) {
      tracers.get().close();
    }
    files.ifPresent(ProgramFiles::closeGone);
    processes.close();
    if (hasBegun()) {
      host.close(listener);
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  /** Another thread goes on duty. */
  private synchronized void relieve() {
    Server next = idle.poll();
    if (next == null) {
      next = servers.get();
      onDuty = next;
      threads.removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
      threads.add(Thread.ofPlatform().daemon().name("door " + threads.size()).start(next));
    } else {
      onDuty = next;
      notifyAll();
    }
  }

  /** Another thread goes on duty, if this one is. */
  private synchronized void relieve(Server server) {
    if (onDuty == server) {
      relieve();
    }
  }

  /**
   * Waits until a thread is on duty.
   *
   * @return whether it ever will be
   */
  private synchronized boolean awaitDuty(Server server) {
    if (onDuty != server && idle.size() < MOST_IDLE) {
      idle.push(server);
    }
    try {
      while (!isOver && idle.contains(server)) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    return !isOver && onDuty == server;
  }

  private synchronized void over() {
    isOver = true;
    notifyAll();
    ended.countDown();
  }

  /** Whether nobody is left whose calls go through the filter. */
  private boolean isDone() {
    int state = supervisor.poll(listener, 0);
    return state > 0 && (state & Libc.POLLHUP()) != 0;
  }

  /** A call, and who answers it. */
  private record Work(Notice call, Server server) {}

  /** Takes calls, and answers them. */
  private final class Server implements Runnable {
    private final PathCalls paths;
    private final DirectoryCalls directories;
    private final MessageCalls messages;
    private final FileCalls fileCalls;

    Server(
        PathCalls paths, DirectoryCalls directories, MessageCalls messages, FileCalls fileCalls) {
      this.messages = messages;
      this.paths = paths;
      this.directories = directories;
      this.fileCalls = fileCalls;
    }

    @Override
    public void run() {
      try (Arena arena = Arena.ofConfined()) {
        int number = model.interruptible();
        MemorySegment notif = seccomp_notif.allocate(arena);
        MemorySegment response = seccomp_notif_resp.allocate(arena);
        while (onDuty == this || awaitDuty(this)) {
          notif.fill((byte) 0);
          int received = host.ioctl(listener, Seccomp.SECCOMP_IOCTL_NOTIF_RECV(), notif.address());
          if (received >= 0) {
            serve(Notice.of(notif), number, response);
          } else if (isDone()) {
            over();
            return;
          }
          // Else the call was given up before it was taken.
        }
      }
    }

    private void serve(Notice call, int number, MemorySegment response) {
      if (call.mayBlock()) {
        relieve(this);
      }
      inProgress.put(number, new Work(call, this));
      Answer answer = answer(call);
      inProgress.remove(number);
      respond(response, call, answer);
    }

    private Answer answer(Notice call) {
      try {
        Optional<ProgramProcess> caller = processes.enter(call.thread());
        if (caller.isEmpty()) {
          return Answer.of(Errno.ESRCH);
        }
        return paths
            .answer(caller.get(), call)
            .or(() -> directories.answer(caller.get(), call))
            .or(() -> messages.answer(caller.get(), call))
            .orElseGet(() -> fileCalls.answer(caller.get(), call));
      } catch (RuntimeException e) {
        // A fault of the model: the program goes on, and the command says what it was.
        failed(e);
        return Answer.of(Errno.EIO);
      }
    }

    private void respond(MemorySegment response, Notice call, Answer answer) {
      response.fill((byte) 0);
      seccomp_notif_resp.id(response, call.id());
      switch (answer) {
        case Answer.Pass _ ->
            seccomp_notif_resp.flags(response, (int) Seccomp.SECCOMP_USER_NOTIF_FLAG_CONTINUE());
        case Answer.Result(long value) when value < 0 && value >= -Kernel.MAX_ERRNO ->
            seccomp_notif_resp.error(response, (int) value);
        case Answer.Result(long value) -> seccomp_notif_resp.val(response, value);
      }
      // ENOENT: the caller was killed meanwhile, and needs no answer.
      host.ioctl(listener, Seccomp.SECCOMP_IOCTL_NOTIF_SEND(), response.address());
    }
  }

  @Override
  public synchronized void failed(RuntimeException e) {
    failure.ifPresentOrElse(first -> first.addSuppressed(e), () -> failure = Optional.of(e));
  }

  /**
   * Looks at calls that take long: another thread goes on duty for them, and they are taken out of
   * the model when their caller is killed or gets a signal.
   */
  private void watch() {
    try {
      Map<Integer, Work> before = Map.of();
      while (!ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        Map<Integer, Work> now = Map.copyOf(inProgress);
        for (Map.Entry<Integer, Work> each : now.entrySet()) {
          Work work = each.getValue();
          if (!work.equals(before.get(each.getKey()))) {
            continue;
          }
          relieve(work.server);
          if (isToEnd(work.call)) {
            model.interrupt(each.getKey());
          }
        }
        before = now;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isToEnd(Notice call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment id = arena.allocateFrom(ValueLayout.JAVA_LONG, call.id());
      if (host.ioctl(listener, Seccomp.SECCOMP_IOCTL_NOTIF_ID_VALID(), id.address()) < 0) {
        return true;
      }
    }
    Matcher signals =
        SIGNALS.matcher(
            new SysFs(host).readIfPresent("/proc/" + call.thread() + "/status").orElse(""));
    if (!signals.find()) {
      return true;
    }
    long pending = set(signals.group(1)) | set(signals.group(2));
    return (pending & ~set(signals.group(3))) != 0;
  }

  private static long set(String text) {
    return Long.parseUnsignedLong(text, HEXADECIMAL);
  }
}
