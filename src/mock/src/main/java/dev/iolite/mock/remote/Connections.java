package dev.iolite.mock.remote;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A process's connections to a host: one for its life, and one for each thread that calls. */
final class Connections implements AutoCloseable {
  private final Path socket;
  private final Wire life;
  private final long session;
  private final long hostPid;
  private final Map<Thread, Wire> threads = new HashMap<>();

  private Connections(Path socket, Wire life, Answer hello) {
    this.socket = socket;
    this.life = life;
    session = hello.result();
    hostPid = hello.extra().get(0);
  }

  static Connections open(Path socket) {
    try {
      Wire life = connect(socket);
      try {
        life.send(Request.of(CallKind.PROCESS, ProcessHandle.current().pid()));
        Answer hello = life.answer();
        if (hello.result() < 0) {
          throw refused(socket, Errno.of((int) -hello.result()));
        }
        return new Connections(socket, life, hello);
      } catch (IOException | RuntimeException e) {
        life.close();
        throw e;
      }
    } catch (IOException e) {
      throw new PreconditionException(
          "connect to the mock host at " + socket,
          String.valueOf(e.getMessage()),
          new Advice(
              "it is not running, or it is another user's",
              "start a mock host there",
              Remedy.SERVE_MODEL,
              List.of(socket.toString())));
    }
  }

  private static PreconditionException refused(Path socket, Errno errno) {
    return errno == Errno.EBUSY
        ? new PreconditionException(
            "connect to the mock host at " + socket,
            "another process uses it",
            "a host has one process at a time",
            "wait until the other one has ended")
        : new PreconditionException(
            "connect to the mock host at " + socket,
            "it can't open this process's memory: " + errno,
            "another user's host, or ptrace is restricted (kernel.yama.ptrace_scope)",
            "run both as one user, and sysctl kernel.yama.ptrace_scope=0 or as root");
  }

  private static Wire connect(Path socket) throws IOException {
    return new Wire(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  /** The host's process. */
  long hostPid() {
    return hostPid;
  }

  /**
   * Makes a call; EINTR if the thread is interrupted meanwhile.
   *
   * @throws UncheckedIOException if the host is gone
   */
  Answer call(Request request) {
    try {
      Wire wire = mine();
      wire.send(request);
      return wire.answer();
    } catch (ClosedByInterruptException e) {
      forget();
      return Answer.of(Errno.EINTR.negated());
    } catch (IOException e) {
      throw new UncheckedIOException("the mock host at " + socket + " is gone", e);
    }
  }

  private Wire mine() throws IOException {
    synchronized (threads) {
      Wire known = threads.get(Thread.currentThread());
      if (known != null) {
        return known;
      }
      dropEnded();
    }
    Wire wire = connect(socket);
    wire.send(Request.of(CallKind.THREAD, session));
    wire.answer();
    synchronized (threads) {
      threads.put(Thread.currentThread(), wire);
    }
    return wire;
  }

  private void dropEnded() throws IOException {
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
      threads.remove(Thread.currentThread());
    }
  }

  @Override
  public void close() {
    try {
      synchronized (threads) {
        for (Wire wire : threads.values()) {
          wire.close();
        }
        threads.clear();
      }
      life.close();
    } catch (IOException e) {
      throw new UncheckedIOException("can't leave the mock host at " + socket, e);
    }
  }
}
