package dev.iolite.mock.remote;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Registers;
import dev.iolite.uapi.libc.Libc;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The kernel of a {@link MockHost}. Each call travels to it on the calling thread's own connection.
 * Mapped memory belongs to the host and is mapped here, too; the registers of modelled devices are
 * accessed by calls.
 *
 * <p>For the host, the process ends when this is closed, or when it really ends. A thread that is
 * interrupted in a call gets EINTR, and a new connection with its next call.
 */
public final class RemoteKernel implements Kernel, AutoCloseable {
  private static final int FIXED = 0x10;
  private static final int FIXED_NOREPLACE = 0x10_0000;
  private static final int NORESERVE = 0x4000;
  private static final int NOTHING = 0;

  private final Kernel host = new HostKernel();
  private final Connections connections;

  private RemoteKernel(Connections connections) {
    this.connections = connections;
  }

  /**
   * Makes this a process of a host.
   *
   * @param socket where the host listens
   * @throws PreconditionException if nobody listens there, another process uses the host, or the
   *     host may not reach this process's memory
   */
  public static RemoteKernel connect(Path socket) {
    return connect(socket, () -> false);
  }

  /**
   * Connects as {@link #connect(Path)} does.
   *
   * @param stop whether the process is to end; once it is, calls fail instead of waiting for a host
   *     that does not answer
   */
  public static RemoteKernel connect(Path socket, BooleanSupplier stop) {
    return new RemoteKernel(Connections.open(socket, stop));
  }

  private long call(CallKind kind, String text, long... numbers) {
    return connections.call(Request.of(kind, text, numbers)).result();
  }

  private long call(CallKind kind, long... numbers) {
    return call(kind, "", numbers);
  }

  @Override
  public int open(String path, int flags) {
    return (int) call(CallKind.OPEN, path, flags);
  }

  @Override
  public int close(int fd) {
    return (int) call(CallKind.CLOSE, fd);
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return call(CallKind.READ, fd, address, bytes);
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return call(CallKind.WRITE, fd, address, bytes);
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return call(CallKind.PREAD, fd, address, bytes, offset);
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return call(CallKind.PWRITE, fd, address, bytes, offset);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return call(CallKind.LSEEK, fd, offset, whence);
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return (int) call(CallKind.FTRUNCATE, fd, bytes);
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return (int) call(CallKind.FALLOCATE, fd, mode, offset, bytes);
  }

  @Override
  public int addSeals(int fd, int seals) {
    return (int) call(CallKind.ADD_SEALS, fd, seals);
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return (int) call(CallKind.IOCTL, fd, request, argument);
  }

  /**
   * Reserves a range of this process, makes the host map its file there, and then maps that file
   * here.
   */
  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    boolean fixed = (flags & FIXED) != 0;
    long at = fixed ? address : reserve(address, bytes, flags & FIXED_NOREPLACE);
    Answer answer =
        connections.call(
            Request.of(CallKind.MMAP, Math.max(at, 0), bytes, prot, flags, fd, offset));
    if (answer.extra().isEmpty()) {
      return refused(answer.result(), at, bytes, fixed);
    }
    long mapped = isError(at) ? at : take(answer, at, bytes, prot);
    if (isError(mapped)) {
      call(CallKind.MUNMAP, Math.max(at, 0), bytes);
      return refused(mapped, at, bytes, fixed);
    }
    return mapped;
  }

  private static boolean isError(long result) {
    return result < 0 && result >= -MAX_ERRNO;
  }

  /**
   * Reserves a range, unless the host would refuse its length; the host then says what is wrong
   * with it.
   */
  private long reserve(long address, long bytes, int flags) {
    return host.mmap(
        address,
        bytes,
        NOTHING,
        Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS() | NORESERVE | flags,
        -1,
        0);
  }

  private long refused(long errno, long at, long bytes, boolean fixed) {
    if (!fixed && !isError(at)) {
      host.munmap(at, bytes);
    }
    return errno;
  }

  private long take(Answer answer, long at, long bytes, int prot) {
    String file = "/proc/" + connections.hostPid() + "/fd/" + answer.extra().get(0);
    int opened = host.open(file, Libc.O_RDWR() | Libc.O_CLOEXEC());
    if (opened < 0) {
      return opened;
    }
    try {
      return host.mmap(at, bytes, prot, Libc.MAP_SHARED() | FIXED, opened, answer.extra().get(1));
    } finally {
      host.close(opened);
    }
  }

  /**
   * Unmaps the parts of the range that the host says it had mapped; the rest does not belong to it
   * and stays.
   */
  @Override
  public int munmap(long address, long bytes) {
    Answer answer = connections.call(Request.of(CallKind.MUNMAP, address, bytes));
    for (int i = 0; i + 1 < answer.extra().size(); i += 2) {
      int result = host.munmap(answer.extra().get(i), answer.extra().get(i + 1));
      if (result < 0) {
        return result;
      }
    }
    return (int) answer.result();
  }

  @Override
  public Optional<Registers> registers(long address) {
    return call(CallKind.REGISTERS, address) == 0
        ? Optional.empty()
        : Optional.of(new RemoteRegisters(connections, address));
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return (int) call(CallKind.POLL, pollfds, count, timeoutMillis);
  }

  @Override
  public int eventfd(int initial, int flags) {
    return (int) call(CallKind.EVENTFD, initial, flags);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return (int) call(CallKind.MEMFD, name, flags);
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return call(CallKind.READLINK, path, address, bytes);
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return call(CallKind.GETDENTS, fd, address, bytes);
  }

  @Override
  public int interruptible() {
    return (int) call(CallKind.INTERRUPTIBLE);
  }

  @Override
  public int interrupt(int tid) {
    return (int) call(CallKind.INTERRUPT, tid);
  }

  /**
   * Makes the process exit for the host. What it mapped stays mapped here and belongs to nobody.
   */
  @Override
  public void close() {
    connections.close();
  }
}
