package dev.iolite.mock.core;

import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.libc.Libc;

/** Maps in this process. */
record MapperHere(Kernel host) implements Mapper {
  @Override
  public long map(long address, long bytes, int protection, int flags, int hostFd, long offset) {
    return host.mmap(address, bytes, protection, Libc.MAP_SHARED() | flags, hostFd, offset);
  }

  @Override
  public int unmap(long address, long bytes) {
    return host.munmap(address, bytes);
  }
}
