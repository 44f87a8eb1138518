package dev.iolite.mock.remote;

import dev.iolite.ipc.LocalSocket;
import dev.iolite.mock.MockKernel;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** A process that uses the host, from its first connection to its end. */
final class Session {
  private final MockKernel kernel;
  private final Dispatch dispatch;
  private final long number;
  private final long pid;
  private final Map<Thread, Wire> threads = new HashMap<>();
  private boolean ended;

  Session(MockKernel kernel, Dispatch dispatch, long number, long pid) {
    this.kernel = kernel;
    this.dispatch = dispatch;
    this.number = number;
    this.pid = pid;
  }

  long number() {
    return number;
  }

  /** Whether the process is alive, as far as this machine knows. */
  boolean isAlive() {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  /**
   * Serves a thread of the process until the thread or the process ends; refuses other processes.
   */
  void serve(Wire wire) throws IOException {
    if (wire.peer().pid() != pid || !add(wire)) {
      return;
    }
    try {
      wire.send(Answer.of(0));
      while (true) {
        wire.send(dispatch.make(wire.request(LocalSocket.FOREVER)));
      }
    } finally {
      remove();
    }
  }

  private synchronized boolean add(Wire wire) {
    return !ended && threads.put(Thread.currentThread(), wire) == null;
  }

  private synchronized void remove() {
    threads.remove(Thread.currentThread());
    notifyAll();
  }

  /**
   * Ends the session when the process has ended, in whatever way: blocking calls give up, and what
   * it had is closed.
   */
  void end() throws InterruptedException {
    stopThreads();
    // A guest that runs for a long time pauses only if another call waits for the lock.
    kernel.exit();
    awaitThreads();
    kernel.exit();
  }

  private synchronized void stopThreads() {
    ended = true;
    threads.forEach((thread, wire) -> {
      wire.close();
      thread.interrupt();
    });
  }

  private synchronized void awaitThreads() throws InterruptedException {
    while (!threads.isEmpty()) {
      wait();
    }
  }
}
