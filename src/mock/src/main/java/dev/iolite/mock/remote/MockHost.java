package dev.iolite.mock.remote;

import dev.iolite.ipc.LocalListener;
import dev.iolite.ipc.LocalSocket;
import dev.iolite.ipc.OccupiedException;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.core.ProcessMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A model of a host that other processes use over a Unix domain socket, one after the other,
 * through a {@link RemoteKernel}. When a process ends, even by SIGKILL, what it had open, mapped or
 * bound to a VM is gone. What it did to the host remains: drivers, driver_override, the TSM's
 * connections.
 *
 * <p>The host accesses a caller's memory with process_vm_readv(2), and the caller maps memory of
 * the host through {@code /proc/PID/fd}: both run as the same user in the same PID namespace. The
 * kernel identifies the calling process, and the host accesses only that process's memory.
 */
public final class MockHost implements AutoCloseable {
  /** A process has one for its lifetime, and one for each thread that makes calls. */
  private static final int MOST_CONNECTIONS = 1024;

  private final Path socket;
  private final LocalListener listener;
  private final MockKernel kernel;
  private final ProcessMemory memory;
  private final Dispatch dispatch;
  private final CountDownLatch closed = new CountDownLatch(1);
  private Optional<Session> current = Optional.empty();
  private long sessions;

  private MockHost(Path socket, LocalListener listener, MockKernel.Builder description) {
    this.socket = socket;
    this.listener = listener;
    memory = new ProcessMemory(new HostKernel(), _ -> true);
    CallerMappings mappings = new CallerMappings();
    kernel = description.caller(memory).mapper(mappings).build();
    dispatch = new Dispatch(kernel, mappings);
  }

  /**
   * Starts a host.
   *
   * @param socket where to listen; a socket of this user on which nobody listens is replaced
   * @param description describes the host; this method sets how the caller is reached
   * @throws PreconditionException if it can't listen there
   */
  public static MockHost start(Path socket, MockKernel.Builder description) {
    return start(socket, description, _ -> {});
  }

  /**
   * Starts a host as {@link #start(Path, MockKernel.Builder)} does.
   *
   * @param troubles told when, for some time, no process can connect, and why
   */
  public static MockHost start(
      Path socket, MockKernel.Builder description, Consumer<String> troubles) {
    try {
      LocalListener listener = LocalListener.open(socket);
      try {
        MockHost host = new MockHost(socket, listener, description);
        listener.serve("mock host", MOST_CONNECTIONS, host.new Callers(), troubles);
        return host;
      } catch (RuntimeException e) {
        listener.close();
        throw e;
      }
    } catch (OccupiedException e) {
      throw failed(
          socket,
          e,
          e.isAlive() ? "another mock host is running" : "the path is of something else",
          "name another path, or end or remove what is there");
    } catch (IOException e) {
      throw failed(
          socket,
          e,
          "the directory is missing or not writable, or its file system has no sockets",
          "name a path in a directory of yours");
    }
  }

  private static PreconditionException failed(
      Path socket, IOException e, String cause, String next) {
    PreconditionException failure =
        new PreconditionException(
            "start a mock host at " + socket, String.valueOf(e.getMessage()), cause, next);
    failure.initCause(e);
    return failure;
  }

  /** The host's kernel, for driving its devices from outside, not for making calls. */
  public MockKernel kernel() {
    return kernel;
  }

  /** The socket on which it listens. */
  public Path socket() {
    return socket;
  }

  /** The connections of the processes that use it. */
  private final class Callers implements LocalListener.Service {
    @Override
    public void serve(LocalSocket caller) throws IOException {
      try (Wire wire = new Wire(caller)) {
        Request first = wire.request(LocalSocket.LONGEST_MESSAGE);
        switch (first.kind()) {
          case PROCESS -> process(wire, first.number(0));
          case THREAD -> {
            Optional<Session> session = session(first.number(0));
            if (session.isPresent()) {
              session.get().serve(wire);
            }
          }
          default -> throw new IOException("a connection does not begin with " + first.kind());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void refuse(LocalSocket caller) throws IOException {
      new Wire(caller).send(Answer.of(Errno.EAGAIN.negated()));
    }
  }

  private synchronized Optional<Session> session(long number) {
    return current.filter(session -> session.number() == number);
  }

  /** Lasts as long as the process, which sends nothing more; its end ends the connection. */
  private void process(Wire wire, long claimed) throws IOException, InterruptedException {
    long pid = wire.peer().pid();
    long number = pid == claimed ? begin(pid) : Errno.ESRCH.negated();
    try {
      wire.send(Answer.of(number, ProcessHandle.current().pid()));
      if (number > 0) {
        wire.request(LocalSocket.FOREVER);
      }
    } finally {
      if (number > 0) {
        end();
      }
    }
  }

  /**
   * Begins a process. If the one before it was killed, its end may not have been noticed here yet.
   */
  private synchronized long begin(long pid) throws InterruptedException {
    while (current.isPresent()) {
      if (current.get().isAlive()) {
        return Errno.EBUSY.negated();
      }
      wait();
    }
    int attached = memory.attach(pid);
    if (attached < 0) {
      return attached;
    }
    sessions++;
    current = Optional.of(new Session(kernel, dispatch, sessions, pid));
    return sessions;
  }

  private void end() throws InterruptedException {
    current.orElseThrow().end();
    synchronized (this) {
      memory.detach();
      current = Optional.empty();
      notifyAll();
    }
  }

  /** Waits until it is closed, at most for this time; returns whether it is closed. */
  public boolean awaitClosed(long millis) throws InterruptedException {
    return closed.await(millis, TimeUnit.MILLISECONDS);
  }

  /** Switches the host off: its callers' calls fail from now on. */
  @Override
  public void close() {
    try {
      listener.stop();
      Optional<Session> last;
      synchronized (this) {
        last = current;
      }
      if (last.isPresent()) {
        last.get().end();
      }
      listener.close();
      kernel.close();
    } catch (IOException e) {
      throw new IllegalStateException("can't close the mock host at " + socket, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closed.countDown();
    }
  }
}
