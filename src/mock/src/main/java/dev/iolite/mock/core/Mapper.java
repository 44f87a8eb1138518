package dev.iolite.mock.core;

import dev.iolite.kernel.Kernel;

/**
 * Maps a file of the host where the caller accesses it: in this process or, if the caller is
 * another process, there.
 */
public interface Mapper {
  /**
   * Maps, as mmap(2) does with MAP_SHARED.
   *
   * @param flags MAP_FIXED, MAP_FIXED_NOREPLACE or 0
   * @param hostFd a descriptor of this process
   * @return the address in the caller's memory, or a negated errno
   */
  long map(long address, long bytes, int protection, int flags, int hostFd, long offset);

  /** Unmaps what {@link #map} mapped, or a part of it; 0 or a negated errno. */
  int unmap(long address, long bytes);

  /** Maps in this process. */
  static Mapper here(Kernel host) {
    return new MapperHere(host);
  }
}
