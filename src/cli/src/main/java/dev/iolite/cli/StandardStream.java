package dev.iolite.cli;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Optional;

/**
 * Standard output or standard error. It remembers the first write that failed, because a {@link
 * java.io.PrintWriter} on it swallows the failure, and lost output is a failure of the command.
 */
final class StandardStream extends OutputStream {
  private static final int AT_ONCE = 64 << 10;

  private final Kernel kernel;
  private final int descriptor;
  private volatile Optional<Errno> failure = Optional.empty();

  StandardStream(Kernel kernel, int descriptor) {
    this.kernel = kernel;
    this.descriptor = descriptor;
  }

  /** Why the first failed write failed. */
  Optional<Errno> failure() {
    return failure;
  }

  /** Whether its reader has gone, which is no reason for a command in a pipeline to complain. */
  boolean isClosedPipe() {
    return failure.equals(Optional.of(Errno.EPIPE));
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Math.min(length, AT_ONCE));
      for (int done = 0; done < length; ) {
        int part = Math.min(AT_ONCE, length - done);
        MemorySegment.copy(bytes, offset + done, memory, ValueLayout.JAVA_BYTE, 0, part);
        done += written(arena, memory, part);
      }
    }
  }

  private int written(Arena arena, MemorySegment memory, int bytes) throws IOException {
    long result = kernel.write(descriptor, memory.address(), bytes);
    if (result >= 0) {
      return (int) result;
    }
    if (result == Errno.EAGAIN.negated()) {
      awaitRoom(arena);
    } else if (result != Errno.EINTR.negated()) {
      Errno errno = Errno.of((int) -result);
      if (failure.isEmpty()) {
        failure = Optional.of(errno);
      }
      throw new IOException("write: " + errno);
    }
    return 0;
  }

  /** Another process may have made the terminal or the pipe non-blocking. */
  private void awaitRoom(Arena arena) {
    MemorySegment poll = pollfd.allocate(arena);
    pollfd.fd(poll, descriptor);
    pollfd.events(poll, (short) Libc.POLLOUT());
    kernel.poll(poll.address(), 1, -1);
  }
}
