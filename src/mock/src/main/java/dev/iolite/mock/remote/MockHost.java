package dev.iolite.mock.remote;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.core.ProcessMemory;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A modelled host that other processes use over a Unix domain socket, one after the other, through
 * a {@link RemoteKernel}. When a process ends, even by SIGKILL, what it had open, mapped or bound
 * to a VM is gone. What it did to the host stays: drivers, driver_override, the TSM's connections.
 *
 * <p>The host reaches a caller's memory by process_vm_readv(2), and the caller maps memory of the
 * host by {@code /proc/PID/fd}: both run as the same user in the same PID namespace.
 */
public final class MockHost implements AutoCloseable {
  private final Path socket;
  private final ServerSocketChannel listener;
  private final MockKernel kernel;
  private final ProcessMemory memory;
  private final Dispatch dispatch;
  private final CountDownLatch closed = new CountDownLatch(1);
  private Optional<Session> current = Optional.empty();
  private long sessions;

  private MockHost(Path socket, ServerSocketChannel listener, MockKernel.Builder description) {
    this.socket = socket;
    this.listener = listener;
    memory = new ProcessMemory(new HostKernel());
    CallerMappings mappings = new CallerMappings();
    kernel = description.caller(memory).mapper(mappings).build();
    dispatch = new Dispatch(kernel, mappings);
  }

  /**
   * Starts a host.
   *
   * @param socket where to listen; a socket that nobody listens on any longer is replaced
   * @param description what the host is like; how the caller is reached is set here
   * @throws PreconditionException if it can't listen there
   */
  public static MockHost start(Path socket, MockKernel.Builder description) {
    try {
      removeStale(socket);
      ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        listener.bind(UnixDomainSocketAddress.of(socket));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        MockHost host = new MockHost(socket, listener, description);
        thread("mock host", host::accept);
        return host;
      } catch (IOException | RuntimeException e) {
        listener.close();
        throw e;
      }
    } catch (IOException e) {
      throw new PreconditionException(
          "start a mock host at " + socket,
          String.valueOf(e.getMessage()),
          "the directory is missing or not writable, or the path is longer than 107 bytes",
          "name a path in a directory of yours");
    }
  }

  private static void removeStale(Path socket) throws IOException {
    if (!Files.exists(socket)) {
      return;
    }
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      throw new PreconditionException(
          "start a mock host at " + socket,
          "somebody listens there already: " + channel.getRemoteAddress(),
          "another mock host is running",
          "name another path, or end the other one");
    } catch (IOException e) {
      if (!Files.readAttributes(socket, "unix:mode").isEmpty() && !Files.isRegularFile(socket)) {
        Files.delete(socket);
      }
    }
  }

  private static void thread(String name, Runnable body) {
    Thread.ofPlatform().daemon().name(name).start(body);
  }

  /** The host's kernel, to drive its devices from outside; not to make calls on. */
  public MockKernel kernel() {
    return kernel;
  }

  /** Where it listens. */
  public Path socket() {
    return socket;
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = listener.accept();
        thread("mock host's caller", () -> serve(channel));
      }
    } catch (ClosedChannelException e) {
      // It is closed.
    } catch (IOException e) {
      throw new IllegalStateException("the mock host at " + socket + " can't listen", e);
    }
  }

  private void serve(SocketChannel channel) {
    try (channel;
        Wire wire = new Wire(channel)) {
      Request first = wire.request();
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
    } catch (IOException e) {
      // The other side is gone, or it is none of ours.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Optional<Session> session(long number) {
    return current.filter(session -> session.number() == number);
  }

  /** Lasts as long as the process: it sends nothing more, and its end ends the connection. */
  private void process(Wire wire, long pid) throws IOException, InterruptedException {
    long number = begin(pid);
    try {
      wire.send(Answer.of(number, ProcessHandle.current().pid()));
      if (number > 0) {
        wire.request();
      }
    } finally {
      if (number > 0) {
        end();
      }
    }
  }

  /** A process that was killed may have a successor before its end was noticed here. */
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

  /** Waits until it is closed, or for a while; whether it is closed. */
  public boolean awaitClosed(long millis) throws InterruptedException {
    return closed.await(millis, TimeUnit.MILLISECONDS);
  }

  /** The host is switched off: its callers' calls fail from now on. */
  @Override
  public void close() {
    try {
      listener.close();
      Files.deleteIfExists(socket);
      Optional<Session> last;
      synchronized (this) {
        last = current;
      }
      if (last.isPresent()) {
        last.get().end();
      }
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
