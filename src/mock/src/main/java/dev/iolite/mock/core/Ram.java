package dev.iolite.mock.core;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Pages of memory: those of a memfd, of an anonymous mapping, of kvm_run. They are in a file of the
 * host, so that they can be mapped where the caller accesses them; pages that were never accessed
 * cost nothing. They are freed with the last reference.
 */
public final class Ram implements Memory {
  /** The name of a memory file on the host. */
  public static final String FILE_NAME = "iolite-mock-ram";

  private static final int HOLE = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();

  private final HostKernel host;
  private final MemFd file;
  private final long start;
  private final Runnable free;
  private int references = 1;
  private long bytes;
  private Optional<Mapping> mapping = Optional.empty();

  /**
   * Makes memory from a part of a file.
   *
   * @param free releases that part
   */
  Ram(HostKernel host, MemFd file, long start, long bytes, Runnable free) {
    this.host = host;
    this.file = file;
    this.start = start;
    this.bytes = bytes;
    this.free = free;
  }

  /**
   * Makes zeroed memory in its own file; the caller holds the first reference.
   *
   * @throws Refused ENOMEM if the host can't provide as much
   */
  static Ram create(HostKernel host, long bytes) {
    try {
      MemFd file = MemFd.create(host, FILE_NAME, bytes);
      return new Ram(host, file, 0, bytes, file::close);
    } catch (KernelException e) {
      throw Refused.refused(Errno.ENOMEM);
    }
  }

  /** Makes an empty file of its own on the host that can be sealed; the rest is as for create. */
  static Ram sealable(HostKernel host) {
    try {
      MemFd file = MemFd.sealable(host, FILE_NAME, 0);
      return new Ram(host, file, 0, 0, file::close);
    } catch (KernelException e) {
      throw Refused.refused(Errno.ENOMEM);
    }
  }

  /** What a file of the host holds; the caller has the first reference, which closes the file. */
  public static Ram of(HostKernel host, MemFd file) {
    return new Ram(host, file, 0, file.bytes(), file::close);
  }

  /** Takes a reference. */
  public Ram get() {
    references++;
    return this;
  }

  /** Releases a reference; the last one frees the memory. */
  public void put() {
    if (--references == 0) {
      mapping.ifPresent(Mapping::close);
      free.run();
    }
  }

  /** The size, in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * Makes memory that has its own file larger or smaller; what is cut off is lost, what is added is
   * 0.
   */
  public void resize(long newBytes) {
    int result = host.ftruncate(file.fd().number(), newBytes);
    if (result < 0) {
      throw Refused.refused(Errno.of(-result));
    }
    bytes = newBytes;
  }

  /**
   * Adds seals to memory that has its own file: they are the host's, which refuses what they do.
   */
  void addSeals(int seals) {
    check(host.addSeals(hostFd(), seals));
  }

  /** The seals of its own file, F_SEAL_* bits. */
  public int seals() {
    return host.seals(hostFd());
  }

  /** Frees a range of its pages, which are 0 from then on. */
  public void punch(long offset, long count) {
    check(host.fallocate(hostFd(), HOLE, start + offset, count));
  }

  /** Allocates a range of memory that has its own file, as fallocate(2) does, or frees it. */
  void allocate(int mode, long offset, long count) {
    check(host.fallocate(hostFd(), mode, offset, count));
    if ((mode & Libc.FALLOC_FL_KEEP_SIZE()) == 0) {
      bytes = Math.max(bytes, offset + count);
    }
  }

  /** Where it begins in its file on the host. */
  long start() {
    return start;
  }

  /** Its descriptor on the host, to be mapped. */
  public int hostFd() {
    return file.fd().number();
  }

  /**
   * All of it, mapped for the model itself.
   *
   * @throws Refused ENOMEM if the host can't map as much
   */
  public MemorySegment segment() {
    if (mapping.isEmpty() || mapping.get().bytes() != bytes) {
      mapping.ifPresent(Mapping::close);
      mapping = Optional.empty();
      try {
        mapping = Optional.of(Mapping.of(file.fd(), start, bytes, 3));
      } catch (KernelException e) {
        throw Refused.refused(Errno.ENOMEM);
      }
    }
    return mapping.get().segment();
  }

  /**
   * Reads it as a file, at any offset.
   *
   * @param into native memory
   */
  void readAt(long offset, MemorySegment into) {
    check(host.pread(hostFd(), into.address(), into.byteSize(), start + offset));
  }

  /**
   * Writes it as a file, at any offset, and makes it as large as that needs.
   *
   * @param from native memory
   */
  void writeAt(long offset, MemorySegment from) {
    check(host.pwrite(hostFd(), from.address(), from.byteSize(), start + offset));
    bytes = Math.max(bytes, offset + from.byteSize());
  }

  private static void check(long result) {
    if (result < 0) {
      throw Refused.refused(Errno.of((int) -result));
    }
  }

  @Override
  public void read(long offset, MemorySegment into) {
    requireInside(offset, into.byteSize());
    MemorySegment.copy(segment(), offset, into, 0, into.byteSize());
  }

  @Override
  public void write(long offset, MemorySegment from) {
    requireInside(offset, from.byteSize());
    MemorySegment.copy(from, 0, segment(), offset, from.byteSize());
  }

  private void requireInside(long offset, long count) {
    if (offset < 0 || offset > bytes - count) {
      throw new Unreachable("the memory ends at 0x" + Long.toHexString(bytes));
    }
  }
}
