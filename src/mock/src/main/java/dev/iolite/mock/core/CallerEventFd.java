package dev.iolite.mock.core;

import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An eventfd of the real kernel that the caller made itself. The model signals the real one, so the
 * caller wakes up whatever it waits with.
 */
public final class CallerEventFd extends EventFdFile {
  private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

  private final Kernel host;
  private final int hostFd;
  private final Runnable released;

  /**
   * Wraps an eventfd that the caller has.
   *
   * @param hostFd this process's descriptor of it, closed with the last reference
   * @param released called then
   */
  public CallerEventFd(Task task, Kernel host, int hostFd, Runnable released) {
    super(task, 0, 0);
    this.host = host;
    this.hostFd = hostFd;
    this.released = released;
  }

  /** Adds 1, unless the count is at its maximum: a driver never waits for a reader. */
  @Override
  public void signal() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = pollfd.allocate(arena);
      pollfd.fd(asked, hostFd);
      pollfd.events(asked, (short) Libc.POLLOUT());
      if (host.poll(asked.address(), 1, 0) == 1) {
        host.write(hostFd, ONE.address(), Long.BYTES);
      }
    }
  }

  @Override
  protected void release() {
    host.close(hostFd);
    released.run();
  }
}
