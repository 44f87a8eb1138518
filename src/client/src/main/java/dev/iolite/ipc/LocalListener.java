package dev.iolite.ipc;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A socket on which this process accepts connections from other processes of the same user, and
 * serves each in its own thread. Other users' connections are closed unread, whatever the
 * permissions of the socket and its directory have become.
 *
 * <p>Safe for use by several threads.
 */
public final class LocalListener implements AutoCloseable {
  private static final int BACKLOG = 128;
  private static final int RETRY_MILLIS = 500;

  /** What to do with the connections. Safe for use by several threads. */
  public interface Service {
    /**
     * Serves one connection, which is closed afterwards. An exception means that the client has
     * gone.
     */
    void serve(LocalSocket client) throws IOException;

    /** Tells a client that there are too many connections; this one is closed afterwards. */
    void refuse(LocalSocket client) throws IOException;
  }

  private final HostKernel host;
  private final SocketFd socket;
  private final SocketFile file;
  private final long user;
  private final Set<LocalSocket> clients = new HashSet<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private boolean closed;
  private boolean isInTrouble;
  private boolean hasRefusedUser;

  private LocalListener(HostKernel host, SocketFd socket, SocketFile file) {
    this.host = host;
    this.socket = socket;
    this.file = file;
    user = SocketFd.ownUser(host);
  }

  /**
   * Listens; clients that connect wait until {@link #serve}. A socket of this user's on which
   * nobody listens is replaced.
   *
   * @throws OccupiedException if anything else is at the path
   * @throws IOException if the socket can't be made there
   */
  public static LocalListener open(Path path) throws IOException {
    HostKernel host = new HostKernel();
    SocketFd socket = SocketFd.create(host);
    try {
      return new LocalListener(host, socket, SocketFile.make(host, socket, path, BACKLOG));
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Accepts connections from now on.
   *
   * @param name what the threads are called
   * @param most how many connections are served at a time
   * @param troubles receives a message when no connection can be accepted for some time
   */
  public void serve(String name, int most, Service service, Consumer<String> troubles) {
    Thread.ofPlatform()
        .daemon()
        .name(name)
        .start(() -> {
          while (!isClosed()) {
            accept(name, most, service, troubles);
          }
        });
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private void accept(String name, int most, Service service, Consumer<String> troubles) {
    long accepted = socket.accept();
    if (accepted >= 0) {
      isInTrouble = false;
      take((int) accepted, name, most, service, troubles);
    } else if (!SocketFd.isToBeRepeated(accepted) && !isClosed()) {
      awaitBetter(Errno.of((int) -accepted), troubles);
    }
  }

  /** While no descriptor is free, the connection stays in the queue, and accept returns at once. */
  private void awaitBetter(Errno errno, Consumer<String> troubles) {
    if (!isInTrouble) {
      isInTrouble = true;
      troubles.accept(
          "accept a connection at %s: %s; trying again until it works"
              .formatted(
                  file,
                  errno == Errno.EMFILE || errno == Errno.ENFILE
                      ? errno + ": no descriptors are left"
                      : errno.toString()));
    }
    try {
      end.await(RETRY_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(
      int accepted, String name, int most, Service service, Consumer<String> troubles) {
    try {
      SocketFd connection = socket.accepted(accepted);
      LocalSocket client;
      try {
        client = new LocalSocket(host, connection, connection.peer());
      } catch (IOException e) {
        connection.close();
        throw e;
      }
      if (client.peer().user() != user) {
        refuseUser(client, troubles);
      } else if (isAdmitted(client, most)) {
        start(name, client, service);
      } else {
        try (client) {
          service.refuse(client);
        }
      }
    } catch (IOException _) {
      // The client has gone already.
    }
  }

  private void refuseUser(LocalSocket client, Consumer<String> troubles) {
    client.close();
    if (!hasRefusedUser) {
      hasRefusedUser = true;
      troubles.accept(
          "refused process %d of user %d at %s; more of these are refused without a message"
              .formatted(client.peer().pid(), client.peer().user(), file));
    }
  }

  private synchronized boolean isAdmitted(LocalSocket client, int most) {
    return !closed && clients.size() < most && clients.add(client);
  }

  private void start(String name, LocalSocket client, Service service) {
    boolean started = false;
    try {
      Thread.ofPlatform()
          .daemon()
          .name(name + "'s client")
          .start(() -> {
            try (client) {
              service.serve(client);
            } catch (IOException _) {
              // The client has gone, or what it sent is not a message of ours: there is nobody to
              // tell.
            } finally {
              leave(client);
            }
          });
      started = true;
    } finally {
      if (!started) {
        client.close();
        leave(client);
      }
    }
  }

  private synchronized void leave(LocalSocket client) {
    clients.remove(client);
    notifyAll();
  }

  /**
   * Stops accepting connections, and deletes the socket. Connections that are being served go on.
   */
  public void stop() throws IOException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      end.countDown();
    }
    socket.close();
    file.delete();
  }

  /**
   * Waits for the connections that are being served.
   *
   * @return whether all ended in time
   */
  public synchronized boolean await(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!clients.isEmpty()) {
      long rest = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (rest <= 0) {
        return false;
      }
      wait(rest);
    }
    return true;
  }

  /** Like {@link #stop}, but cuts off the connections that are being served. */
  @Override
  public void close() throws IOException {
    try {
      stop();
    } finally {
      List<LocalSocket> last;
      synchronized (this) {
        last = new ArrayList<>(clients);
      }
      last.forEach(LocalSocket::close);
    }
  }
}
