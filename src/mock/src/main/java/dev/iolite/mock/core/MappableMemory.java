package dev.iolite.mock.core;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;

/**
 * A device's memory as a file of the host: whoever maps the file reaches the memory without the
 * model. It begins in the file where it begins in the device's own file, so that the caller's
 * mmap(2) maps either. While it is hidden, it has no content, and an access is a SIGBUS.
 */
public final class MappableMemory implements AutoCloseable {
  private static final int HOLE = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();

  private final HostKernel host;
  private final MemFd file;
  private final Mapping mapping;
  private final long start;
  private final long bytes;

  private MappableMemory(HostKernel host, MemFd file, Mapping mapping, long start, long bytes) {
    this.host = host;
    this.file = file;
    this.mapping = mapping;
    this.start = start;
    this.bytes = bytes;
  }

  /**
   * Makes memory that is hidden.
   *
   * @param name the file's name
   * @param start where the memory begins in the file, in bytes
   * @param bytes a multiple of the page
   * @throws Refused ENOMEM if the host can't map as much
   */
  static MappableMemory create(HostKernel host, String name, long start, long bytes) {
    try {
      MemFd file = MemFd.create(host, name, 0);
      try {
        Mapping mapping = Mapping.of(file.fd(), start, bytes, Libc.PROT_READ() | Libc.PROT_WRITE());
        return new MappableMemory(host, file, mapping, start, bytes);
      } catch (KernelException e) {
        file.close();
        throw e;
      }
    } catch (KernelException e) {
      throw Refused.refused(Errno.ENOMEM);
    }
  }

  /** Its descriptor on the host. */
  public int hostFd() {
    return file.fd().number();
  }

  /** All of it, while it is shown. */
  public MemorySegment segment() {
    return mapping.segment();
  }

  /** Shows it, full of zeros. */
  public void show() {
    resize(start + bytes);
  }

  /** Hides it; its content is gone. */
  public void hide() {
    resize(0);
  }

  private void resize(long size) {
    require("ftruncate", host.ftruncate(hostFd(), size));
  }

  /** Makes a range of it zeros. */
  public void clear(long offset, long count) {
    require("fallocate", host.fallocate(hostFd(), HOLE, start + offset, count));
  }

  /** Where the next page is that has ever been touched, from an offset on; its size if none is. */
  public long nextTouched(long offset) {
    long found = host.lseek(hostFd(), start + offset, Libc.SEEK_DATA());
    return found < 0 ? bytes : found - start;
  }

  private static void require(String call, int result) {
    if (result < 0) {
      throw new IllegalStateException(
          "memory of a device: %s: %s".formatted(call, Errno.of(-result)));
    }
  }

  @Override
  public void close() {
    mapping.close();
    file.close();
  }
}
