package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Copies a caller's memory, from addresses that may be wrong.
 *
 * <p>Safe for use by several threads.
 */
@FunctionalInterface
public interface CallerMemory {
  /**
   * Copies memory.
   *
   * @param bytes the length, at least 0; never more than this is read
   * @return the copy; empty if any of it is not mapped
   */
  Optional<MemorySegment> copy(long address, long bytes);

  /**
   * The memory of this process.
   *
   * <p>A caller may pass an address where nothing is mapped. The kernel then answers EFAULT; a load
   * by the JVM would end the process instead. So the copy, too, is left to the kernel, by a read of
   * {@code /proc/self/mem}, which fails where nothing is mapped, and if there is no procfs. That
   * file is opened for each copy, so that a decorator holds no descriptor and needs no closing.
   */
  static CallerMemory own() {
    Kernel host = new HostKernel();
    return (address, bytes) -> {
      int memory =
          address > 0 ? host.open("/proc/self/mem", Libc.O_RDONLY() | Libc.O_CLOEXEC()) : -1;
      if (memory < 0) {
        return Optional.empty();
      }
      try {
        MemorySegment into = Arena.ofAuto().allocate(bytes, Long.BYTES);
        return host.pread(memory, into.address(), bytes, address) == bytes
            ? Optional.of(into)
            : Optional.empty();
      } finally {
        host.close(memory);
      }
    };
  }
}
