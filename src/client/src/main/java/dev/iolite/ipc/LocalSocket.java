package dev.iolite.ipc;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A connection to a process of the same user on this machine. It carries {@link Message}s.
 *
 * <p>Once a message has begun, it must be complete within {@link #LONGEST_MESSAGE}, in either
 * direction. A waiting thread stops waiting when it is interrupted, or when another thread closes
 * the connection.
 *
 * <p>For use by one thread at a time that receives, and one that sends; any thread may close it.
 */
public final class LocalSocket implements Closeable {
  /** How long a message may take from its first byte to its last. */
  public static final Duration LONGEST_MESSAGE = Duration.ofSeconds(10);

  /** Waits for a message for as long as it takes. */
  public static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

  private static final int AT_ONCE = 16 << 10;
  private static final char END = '\n';

  private final HostKernel host;
  private final SocketFd socket;
  private final Peer peer;
  private final MemorySegment received = Arena.ofAuto().allocate(AT_ONCE);
  private final MemorySegment sent = Arena.ofAuto().allocate(AT_ONCE);
  private int first;
  private int end;

  LocalSocket(HostKernel host, SocketFd socket, Peer peer) {
    this.host = host;
    this.socket = socket;
    this.peer = peer;
  }

  /**
   * Connects to a process that listens.
   *
   * @param stop asked whether to give up
   * @throws SocketErrnoException what connect(2) said: ECONNREFUSED if nobody listens any longer
   * @throws IOException if another user's process listens there
   */
  public static LocalSocket connect(Path path, BooleanSupplier stop) throws IOException {
    HostKernel host = new HostKernel();
    SocketFd socket = SocketFd.create(host);
    try {
      connect(host, socket, path, stop);
      Peer peer = socket.peer();
      if (peer.user() != SocketFd.ownUser(host)) {
        throw new IOException("a process of user %d listens there".formatted(peer.user()));
      }
      return new LocalSocket(host, socket, peer);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static void connect(HostKernel host, SocketFd socket, Path path, BooleanSupplier stop)
      throws IOException {
    try (PinnedDirectory directory = PinnedDirectory.of(host, path)) {
      Path entry = directory.entry(PinnedDirectory.name(path));
      long started = System.nanoTime();
      long result = socket.connect(entry);
      while (SocketFd.isToBeRepeated(result)) {
        requireTime("connect", started, LONGEST_MESSAGE);
        requireWanted("connect", stop);
        result = socket.connect(entry);
      }
      if (result < 0) {
        throw new SocketErrnoException("connect", result);
      }
    }
  }

  /** Whether a process listens at a path. If connecting fails for any other reason, one may. */
  public static boolean isListening(Path path) throws IOException {
    HostKernel host = new HostKernel();
    try (SocketFd socket = SocketFd.create(host)) {
      connect(host, socket, path, () -> false);
      return true;
    } catch (SocketErrnoException e) {
      return e.errno() != Errno.ECONNREFUSED && e.errno() != Errno.ENOENT;
    }
  }

  /** The process at the other end. */
  public Peer peer() {
    return peer;
  }

  /**
   * Sends a message.
   *
   * @throws IOException if the other side has gone, or does not take it in time
   */
  public void send(Message message) throws IOException {
    byte[] line = message.line();
    long started = System.nanoTime();
    for (int done = 0; done < line.length; ) {
      int part = Math.min(AT_ONCE, line.length - done);
      MemorySegment.copy(line, done, sent, ValueLayout.JAVA_BYTE, 0, part);
      long result = socket.call(fd -> host.write(fd, sent.address(), part));
      if (result < 0 && !SocketFd.isToBeRepeated(result)) {
        throw new SocketErrnoException("write", result);
      }
      if (result <= 0) {
        requireTime("send", started, LONGEST_MESSAGE);
        requireWanted("send", () -> false);
      } else {
        done += (int) result;
      }
    }
  }

  /**
   * Receives a message.
   *
   * @param longest how many bytes it may have
   * @param begins how long to wait for its first byte
   * @param stop asked whether to stop waiting
   * @return empty if the other side has closed the connection without sending part of another
   *     message
   * @throws MalformedMessageException if it is not a message, or too long
   * @throws InterruptedIOException if the thread is interrupted, the wait is stopped, or the
   *     message does not begin or end in time
   */
  public Optional<Message> receive(int longest, Duration begins, BooleanSupplier stop)
      throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long started = System.nanoTime();
    boolean hasBegun = false;
    while (true) {
      if (first == end && !fill(started, hasBegun ? LONGEST_MESSAGE : begins, stop)) {
        if (hasBegun) {
          throw new MalformedMessageException("the message has no end");
        }
        return Optional.empty();
      }
      if (!hasBegun) {
        hasBegun = true;
        started = System.nanoTime();
      }
      int next = indexOfEnd();
      append(line, next);
      if (line.size() > longest) {
        throw new MalformedMessageException("a message has at most %d bytes".formatted(longest));
      }
      if (next < end) {
        first = next + 1;
        return Optional.of(Message.parse(line.toByteArray()));
      }
      first = end;
    }
  }

  private int indexOfEnd() {
    int at = first;
    while (at < end && received.get(ValueLayout.JAVA_BYTE, at) != END) {
      at++;
    }
    return at;
  }

  private void append(ByteArrayOutputStream line, int to) {
    byte[] part = received.asSlice(first, (long) to - first).toArray(ValueLayout.JAVA_BYTE);
    line.write(part, 0, part.length);
  }

  /** Waits for more, and returns whether there is more. */
  private boolean fill(long started, Duration most, BooleanSupplier stop) throws IOException {
    while (true) {
      requireTime("receive", started, most);
      long result = socket.call(fd -> host.read(fd, received.address(), AT_ONCE));
      if (result >= 0) {
        first = 0;
        end = (int) result;
        return result > 0;
      }
      if (!SocketFd.isToBeRepeated(result)) {
        throw new SocketErrnoException("read", result);
      }
      requireWanted("receive", stop);
    }
  }

  private static void requireTime(String what, long started, Duration most) throws IOException {
    if (System.nanoTime() - started > most.toNanos()) {
      throw new InterruptedIOException(
          "%s: the other side took more than %d s".formatted(what, most.toSeconds()));
    }
  }

  private static void requireWanted(String what, BooleanSupplier stop) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException(what + ": the thread was interrupted");
    }
    if (stop.getAsBoolean()) {
      throw new InterruptedIOException(what + ": stopped");
    }
  }

  /** Ends the connection, and every other thread's wait on it. */
  @Override
  public void close() {
    socket.close();
  }
}
