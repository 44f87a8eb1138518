package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Predicate;

/**
 * The memory of another process, accessed by process_vm_readv(2). Like copy_to_user, this respects
 * the protection of the process's mappings. It must be allowed (ptrace(2): the same user, unless
 * the host restricts it further).
 */
public final class ProcessMemory implements UserMemory {
  private static final int AT_ONCE = 64 << 10;
  private static final long NONE = -1;

  private final HostKernel host;
  private final Predicate<String> hasPages;
  private final MemorySegment copy = Arena.ofAuto().allocate(AT_ONCE, Long.BYTES);
  private long process = NONE;

  /**
   * Makes the memory of no process yet.
   *
   * @param hasPages whether what the process has mapped from a file of this name is memory
   */
  public ProcessMemory(HostKernel host, Predicate<String> hasPages) {
    this.host = host;
    this.hasPages = hasPages;
  }

  /** Makes it the memory of this process from now on; returns 0 or a negated errno. */
  public int attach(long pid) {
    // Opening the file is allowed exactly when reading and writing the memory is.
    int opened = host.open("/proc/" + pid + "/mem", Libc.O_RDWR() | Libc.O_CLOEXEC());
    if (opened < 0) {
      return opened;
    }
    host.close(opened);
    process = pid;
    return 0;
  }

  /** Called when the process has ended. */
  public void detach() {
    process = NONE;
  }

  @Override
  public void read(long address, MemorySegment into) {
    long bytes = into.byteSize();
    for (long done = 0; done < bytes; done += AT_ONCE) {
      long part = Math.min(AT_ONCE, bytes - done);
      require(part, host.readProcess(process, address + done, copy.address(), part));
      MemorySegment.copy(copy, 0, into, done, part);
    }
  }

  @Override
  public void write(long address, MemorySegment from) {
    long bytes = from.byteSize();
    for (long done = 0; done < bytes; done += AT_ONCE) {
      long part = Math.min(AT_ONCE, bytes - done);
      MemorySegment.copy(from, done, copy, 0, part);
      require(part, host.writeProcess(process, address + done, copy.address(), part));
    }
  }

  @Override
  public void requireMapped(long address, long bytes, boolean write) {
    ProcessMaps.require(host, Long.toString(process), address, bytes, write, hasPages);
  }

  private static void require(long wanted, long got) {
    if (got != wanted) {
      throw refused(Errno.EFAULT);
    }
  }
}
