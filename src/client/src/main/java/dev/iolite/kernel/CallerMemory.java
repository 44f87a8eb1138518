package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Copies of this process's own memory, at addresses that may be wrong.
 *
 * <p>A caller may pass an address where nothing is mapped. The kernel then answers EFAULT; a load
 * by the JVM would end the process instead. So the kernel makes the copy, too, by a read of {@code
 * /proc/self/mem}, which fails where nothing is mapped. That file is opened for each copy, so that
 * a decorator holds no descriptor and needs no closing.
 *
 * <p>Safe for use by several threads.
 */
public final class CallerMemory {
  private static final Kernel HOST = new HostKernel();

  private CallerMemory() {}

  /**
   * Copies memory.
   *
   * @param bytes how much, at least 0; never more than this is read
   * @return the copy; empty if any of it is not mapped, or there is no procfs
   */
  public static Optional<MemorySegment> copy(long address, long bytes) {
    int memory = address > 0 ? HOST.open("/proc/self/mem", Libc.O_RDONLY() | Libc.O_CLOEXEC()) : -1;
    if (memory < 0) {
      return Optional.empty();
    }
    try {
      MemorySegment into = Arena.ofAuto().allocate(bytes, Long.BYTES);
      return HOST.pread(memory, into.address(), bytes, address) == bytes
          ? Optional.of(into)
          : Optional.empty();
    } finally {
      HOST.close(memory);
    }
  }
}
