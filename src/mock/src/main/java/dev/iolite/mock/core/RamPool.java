package dev.iolite.mock.core;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import java.util.Optional;

/**
 * Anonymous memory, all of it in one file of the host: however many mappings a process makes, they
 * take one of the host's descriptors. Freed memory becomes a hole in the file.
 */
final class RamPool {
  private static final int HOLE = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();

  private final HostKernel host;
  private Optional<MemFd> file = Optional.empty();
  private long end;
  private long used;

  RamPool(HostKernel host) {
    this.host = host;
  }

  /**
   * Makes zeroed memory; the caller holds the first reference.
   *
   * @throws Refused ENOMEM if the host can't provide as much
   */
  Ram take(long bytes) {
    long whole = (bytes + Page.BYTES - 1) & -Page.BYTES;
    MemFd memory = file.orElseGet(this::begin);
    long start = end;
    if (start > Long.MAX_VALUE - whole || host.ftruncate(memory.fd().number(), start + whole) < 0) {
      endUnused();
      throw Refused.refused(Errno.ENOMEM);
    }
    end += whole;
    used++;
    return new Ram(host, memory, start, whole, () -> give(memory, start, whole));
  }

  private MemFd begin() {
    try {
      MemFd begun = MemFd.create(host, "iolite-mock-anonymous", 0);
      file = Optional.of(begun);
      end = 0;
      return begun;
    } catch (KernelException e) {
      throw Refused.refused(Errno.ENOMEM);
    }
  }

  private void give(MemFd memory, long start, long bytes) {
    used--;
    int freed = host.fallocate(memory.fd().number(), HOLE, start, bytes);
    endUnused();
    if (freed < 0) {
      throw new IllegalStateException("memory can't be freed: " + Errno.of(-freed));
    }
  }

  /** Closes the file when no memory in it is left. */
  private void endUnused() {
    if (used == 0) {
      file.ifPresent(MemFd::close);
      file = Optional.empty();
    }
  }
}
