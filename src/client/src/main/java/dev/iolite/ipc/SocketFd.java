package dev.iolite.ipc;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The descriptor of a Unix domain socket. Calls that wait return EAGAIN after {@link #LOOK_MILLIS},
 * so that the caller can check whether to go on. It is closed only while no call uses it, so that
 * no call can reach another file with the same number.
 *
 * <p>A {@link java.nio.channels.SocketChannel} would not do: it hides the descriptor, and with it
 * what the kernel says about the process at the other end. The numbers that no header for programs
 * has are those of linux/net.h and linux/socket.h.
 */
final class SocketFd implements AutoCloseable {
  /** The longest time that a call waits. */
  static final int LOOK_MILLIS = 100;

  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_CLOEXEC = 0x8_0000;
  private static final int SHUT_RDWR = 2;

  /** struct sockaddr_un: the family, and room for a path that ends with NUL. */
  private static final int PATH_OFFSET = Short.BYTES;

  private static final int PATH_BYTES = 108;

  /** struct ucred: the process, its user and its group. */
  private static final int UCRED_BYTES = 3 * Integer.BYTES;

  private final HostKernel host;
  private final int number;
  private int users;
  private boolean closed;

  private SocketFd(HostKernel host, int number) {
    this.host = host;
    this.number = number;
  }

  /** A call on a descriptor, which returns a result or a negated errno. */
  @FunctionalInterface
  interface Call {
    long make(int fd);
  }

  /** Makes a socket that is not connected. */
  static SocketFd create(HostKernel host) throws SocketErrnoException {
    return of(host, "socket", host.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }

  private static SocketFd of(HostKernel host, String call, int number) throws SocketErrnoException {
    SocketFd socket = new SocketFd(host, (int) done(call, number));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time =
          arena.allocateFrom(ValueLayout.JAVA_LONG, LOOK_MILLIS / 1000, LOOK_MILLIS % 1000 * 1000L);
      for (int option : new int[] {Libc.SO_RCVTIMEO(), Libc.SO_SNDTIMEO()}) {
        done(
            "setsockopt",
            host.setsockopt(
                number, Libc.SOL_SOCKET(), option, time.address(), (int) time.byteSize()));
      }
      return socket;
    } catch (SocketErrnoException e) {
      socket.close();
      throw e;
    }
  }

  private static long done(String call, long result) throws SocketErrnoException {
    if (result < 0) {
      throw new SocketErrnoException(call, result);
    }
    return result;
  }

  /** Whether a call ended only because it had waited for as long as it may. */
  static boolean isToBeRepeated(long result) {
    return result == Errno.EAGAIN.negated() || result == Errno.EINTR.negated();
  }

  /** The user of this process, as the kernel reports it for peers. */
  static long ownUser(HostKernel host) {
    return Integer.toUnsignedLong(host.geteuid());
  }

  /** Makes a call; EBADF if it is closed. */
  long call(Call call) {
    synchronized (this) {
      if (closed) {
        return Errno.EBADF.negated();
      }
      users++;
    }
    try {
      return call.make(number);
    } finally {
      synchronized (this) {
        users--;
        release();
      }
    }
  }

  void bind(Path path) throws SocketErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = address(arena, path);
      done("bind", call(fd -> host.bind(fd, address.address(), (int) address.byteSize())));
    }
  }

  void listen(int backlog) throws SocketErrnoException {
    done("listen", call(fd -> host.listen(fd, backlog)));
  }

  /** Connects; 0 or a negated errno. */
  long connect(Path path) throws SocketErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = address(arena, path);
      return call(fd -> host.connect(fd, address.address(), (int) address.byteSize()));
    }
  }

  private static MemorySegment address(Arena arena, Path path) throws SocketErrnoException {
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    if (name.length >= PATH_BYTES) {
      throw new SocketErrnoException("socket at " + path, Errno.ENAMETOOLONG.negated());
    }
    MemorySegment address = arena.allocate(PATH_OFFSET + PATH_BYTES, Long.BYTES);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
    MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH_OFFSET, name.length);
    return address;
  }

  /** Takes a connection: its socket's number, or a negated errno. */
  long accept() {
    return call(fd -> host.accept(fd, SOCK_CLOEXEC));
  }

  /** Takes over a socket that {@link #accept} returned. */
  SocketFd accepted(int fd) throws SocketErrnoException {
    return of(host, "accept", fd);
  }

  Peer peer() throws SocketErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment credentials = arena.allocate(UCRED_BYTES, Integer.BYTES);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, UCRED_BYTES);
      done(
          "getsockopt",
          call(fd ->
              host.getsockopt(
                  fd,
                  Libc.SOL_SOCKET(),
                  Libc.SO_PEERCRED(),
                  credentials.address(),
                  length.address())));
      return new Peer(
          credentials.getAtIndex(ValueLayout.JAVA_INT, 0),
          Integer.toUnsignedLong(credentials.getAtIndex(ValueLayout.JAVA_INT, 1)));
    }
  }

  /** Ends all calls that wait, and closes the descriptor after the last of them. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      users++;
      host.shutdown(number, SHUT_RDWR);
      users--;
      release();
    }
  }

  private void release() {
    if (closed && users == 0) {
      users = Integer.MIN_VALUE;
      host.close(number);
    }
  }
}
