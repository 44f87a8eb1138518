package dev.iolite.mock.remote;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.core.UserMemory;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The memory of another process, by its {@code /proc/PID/mem}, which must be allowed (ptrace(2):
 * the same user, unless the host restricts it further). The file is of the process that had the
 * number when it was opened, even if the number is given again.
 *
 * <p>Like a debugger, and unlike copy_to_user, it can write private pages that the process itself
 * may only read.
 */
final class ProcessMemory implements UserMemory {
  private static final int AT_ONCE = 64 << 10;
  private static final int NONE = -1;

  private final Kernel host;
  private final MemorySegment copy = Arena.ofAuto().allocate(AT_ONCE, Long.BYTES);
  private int file = NONE;

  ProcessMemory(Kernel host) {
    this.host = host;
  }

  /** From now on it is this process's; 0 or a negated errno. */
  int attach(long pid) {
    detach();
    int opened = host.open("/proc/" + pid + "/mem", Libc.O_RDWR() | Libc.O_CLOEXEC());
    file = Math.max(NONE, opened);
    return Math.min(0, opened);
  }

  /** The process has ended. */
  void detach() {
    if (file != NONE) {
      host.close(file);
      file = NONE;
    }
  }

  @Override
  public void read(long address, MemorySegment into) {
    long bytes = into.byteSize();
    for (long done = 0; done < bytes; done += AT_ONCE) {
      long part = Math.min(AT_ONCE, bytes - done);
      require(part, host.pread(file, copy.address(), part, valid(address, done)));
      MemorySegment.copy(copy, 0, into, done, part);
    }
  }

  @Override
  public void write(long address, MemorySegment from) {
    long bytes = from.byteSize();
    for (long done = 0; done < bytes; done += AT_ONCE) {
      long part = Math.min(AT_ONCE, bytes - done);
      MemorySegment.copy(from, done, copy, 0, part);
      require(part, host.pwrite(file, copy.address(), part, valid(address, done)));
    }
  }

  /** The file's offset is the address, which is never negative. */
  private static long valid(long address, long done) {
    if (address < 0) {
      throw refused(Errno.EFAULT);
    }
    return address + done;
  }

  private static void require(long wanted, long got) {
    if (got != wanted) {
      throw refused(Errno.EFAULT);
    }
  }
}
