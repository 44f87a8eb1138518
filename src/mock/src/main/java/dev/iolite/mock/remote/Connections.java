package dev.iolite.mock.remote;

import dev.iolite.ipc.LocalSocket;
import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * A process's connections to a host: one for its lifetime, and one for each thread that makes
 * calls.
 */
final class Connections implements AutoCloseable {
  /** The host may first have to end the previous process. */
  private static final Duration LONGEST_HELLO = Duration.ofSeconds(30);

  /** How long a host may take for a call once the process is to end. */
  private static final long LAST_MOMENT_NANOS = Duration.ofSeconds(1).toNanos();

  private final Path socket;
  private final Wire life;
  private final long session;
  private final long hostPid;
  private final BooleanSupplier stop;
  private volatile boolean isGivenUp;
  private final Map<Thread, Wire> threads = new HashMap<>();

  private Connections(Path socket, Wire life, Answer hello, BooleanSupplier stop) {
    this.socket = socket;
    this.life = life;
    session = hello.result();
    hostPid = hello.extra().get(0);
    this.stop = stop;
  }

  static Connections open(Path socket, BooleanSupplier stop) {
    try {
      Wire life = new Wire(LocalSocket.connect(socket, stop));
      try {
        life.send(Request.of(CallKind.PROCESS, ProcessHandle.current().pid()));
        Answer hello = life.answer(LONGEST_HELLO, stop);
        if (hello.result() < 0) {
          throw refused(socket, Errno.of((int) -hello.result()));
        }
        return new Connections(socket, life, hello, stop);
      } catch (IOException | RuntimeException e) {
        life.close();
        throw e;
      }
    } catch (IOException e) {
      throw failed("connect to", socket, e);
    }
  }

  private static PreconditionException refused(Path socket, Errno errno) {
    String tried = "connect to the mock host at " + socket;
    return switch (errno) {
      case EBUSY ->
          new PreconditionException(
              tried,
              "another process uses it",
              "a host has one process at a time",
              "wait until the other one has ended");
      case EAGAIN ->
          new PreconditionException(
              tried,
              "it has as many connections as it takes",
              "a program has left threads behind that made calls",
              "end that program");
      case ESRCH ->
          new PreconditionException(
              tried,
              "it does not know this process by its number",
              "one of them runs in a container with PIDs of its own",
              "run both in one PID namespace");
      default ->
          new PreconditionException(
              tried,
              "it can't open this process's memory: " + errno,
              "another user's host, or ptrace is restricted (kernel.yama.ptrace_scope)",
              "run both as one user, and sysctl kernel.yama.ptrace_scope=0 or as root");
    };
  }

  /** The host's process. */
  long hostPid() {
    return hostPid;
  }

  /**
   * Whether to stop waiting for an answer. A process that is to end has to make more calls, to undo
   * what it did; but a host that does not answer one of them is not asked again.
   */
  private final class Patience implements BooleanSupplier {
    private boolean isLast;
    private long since;

    @Override
    public boolean getAsBoolean() {
      if (!isLast && stop.getAsBoolean()) {
        isLast = true;
        since = System.nanoTime();
      }
      if (isLast && System.nanoTime() - since > LAST_MOMENT_NANOS) {
        isGivenUp = true;
      }
      return isGivenUp;
    }
  }

  /**
   * Makes a call; EINTR if the thread is interrupted during it.
   *
   * @throws PreconditionException if the host is gone, or does not answer while the process is to
   *     end
   */
  Answer call(Request request) {
    BooleanSupplier patience = new Patience();
    try {
      Wire wire = mine(patience);
      wire.send(request);
      return wire.answer(LocalSocket.FOREVER, patience);
    } catch (InterruptedIOException e) {
      forget();
      if (Thread.currentThread().isInterrupted()) {
        return Answer.of(Errno.EINTR.negated());
      }
      throw gone(e);
    } catch (IOException e) {
      throw gone(e);
    }
  }

  private PreconditionException gone(IOException e) {
    return failed("make a call at", socket, e);
  }

  private static PreconditionException failed(String attempt, Path socket, IOException e) {
    PreconditionException failure =
        new PreconditionException(
            attempt + " the mock host at " + socket,
            String.valueOf(e.getMessage()),
            new Advice(
                "it is not running, it is stopped, or it is another user's",
                "start a mock host there",
                Remedy.SERVE_MODEL,
                List.of(socket.toString())));
    failure.initCause(e);
    return failure;
  }

  private Wire mine(BooleanSupplier patience) throws IOException {
    if (isGivenUp) {
      throw new IOException("it has not answered");
    }
    synchronized (threads) {
      Wire known = threads.get(Thread.currentThread());
      if (known != null) {
        return known;
      }
      dropEnded();
    }
    Wire wire = new Wire(LocalSocket.connect(socket, patience));
    try {
      wire.send(Request.of(CallKind.THREAD, session));
      long begun = wire.answer(LONGEST_HELLO, patience).result();
      if (begun < 0) {
        throw refused(socket, Errno.of((int) -begun));
      }
    } catch (IOException | RuntimeException e) {
      wire.close();
      throw e;
    }
    synchronized (threads) {
      threads.put(Thread.currentThread(), wire);
    }
    return wire;
  }

  private void dropEnded() {
    List<Thread> ended =
        new ArrayList<>(threads.keySet().stream().filter(thread -> !thread.isAlive()).toList());
    for (Thread thread : ended) {
      Wire wire = threads.remove(thread);
      if (wire != null) {
        wire.close();
      }
    }
  }

  private void forget() {
    synchronized (threads) {
      Wire wire = threads.remove(Thread.currentThread());
      if (wire != null) {
        wire.close();
      }
    }
  }

  @Override
  public void close() {
    synchronized (threads) {
      threads.values().forEach(Wire::close);
      threads.clear();
    }
    life.close();
  }
}
