package dev.iolite.mock.core;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.MemFd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A memfd of the real kernel that the caller has made itself; it is as large as it is now. */
public final class CallerMemFd extends MemFdFile {
  /**
   * One that the caller has.
   *
   * @param hostFd this process's descriptor of it, closed with the last reference
   */
  public CallerMemFd(Task task, HostKernel host, String name, int hostFd) {
    super(task, name, Ram.of(host, MemFd.owned(host, hostFd, name)));
  }

  /** They are read and written as a file: were they mapped, the caller could cut them off. */
  @Override
  public Memory pages() {
    return new Memory() {
      @Override
      public void read(long offset, MemorySegment into) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment copy = arena.allocate(into.byteSize());
          ram().readAt(offset, copy);
          into.copyFrom(copy);
        }
      }

      @Override
      public void write(long offset, MemorySegment from) {
        try (Arena arena = Arena.ofConfined()) {
          ram().writeAt(offset, arena.allocate(from.byteSize()).copyFrom(from));
        }
      }
    };
  }
}
