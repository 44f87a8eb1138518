package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/**
 * A counter that the kernel adds to when something happens, such as a device's interrupt.
 *
 * <p>Safe for use by several threads.
 */
public final class EventFd implements AutoCloseable {
  private final Fd fd;

  private EventFd(Fd fd) {
    this.fd = fd;
  }

  /**
   * Makes an eventfd with count 0, non-blocking and close-on-exec.
   *
   * @throws KernelException what eventfd(2) said (EMFILE: the process has too many descriptors)
   */
  public static EventFd create(Kernel kernel) {
    int number = kernel.eventfd(0, Libc.EFD_CLOEXEC() | Libc.EFD_NONBLOCK());
    if (number < 0) {
      throw new KernelException("eventfd", CallTarget.of("the process"), "", -number);
    }
    return new EventFd(Fd.owned(kernel, FdKind.EVENTFD, number, "eventfd"));
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Adds to the count, as the kernel does.
   *
   * @param events how many, more than 0
   */
  public void signal(long events) {
    try (Arena arena = Arena.ofConfined()) {
      fd.writeWhole(arena.allocateFrom(ValueLayout.JAVA_LONG, events));
    }
  }

  /**
   * Waits until the count is not 0, and takes it.
   *
   * @param deadline how long to wait at most
   * @return the count, which is 0 again now; 0 if the deadline passed
   * @throws KernelException what poll(2) or read(2) said
   */
  public long await(Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment poll = pollfd.allocate(arena);
      pollfd.fd(poll, fd.number());
      pollfd.events(poll, (short) Libc.POLLIN());
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      while (true) {
        long left = Math.max(0, end - System.nanoTime());
        int millis = (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
        int ready = fd.kernel().poll(poll.address(), 1, millis);
        if (ready == 0) {
          return 0;
        }
        if (ready < 0 && ready != Errno.EINTR.negated()) {
          throw new KernelException("poll", fd.target(), "", -ready);
        }
        if (ready > 0 && take(count)) {
          return count.get(ValueLayout.JAVA_LONG, 0);
        }
      }
    }
  }

  /** Takes the count, and returns whether there was one; another waiter may have been faster. */
  private boolean take(MemorySegment count) {
    try {
      fd.readWhole(count);
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.EAGAIN) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
