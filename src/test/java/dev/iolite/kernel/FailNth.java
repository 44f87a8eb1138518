package dev.iolite.kernel;

import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Makes the nth call fail that makes, changes or looks at something. Calls that undo (close,
 * munmap) always work, and so do those through which a failure is found out (reads of sysfs).
 */
public final class FailNth extends ForwardingKernel {
  private final int nth;
  private final Errno errno;
  private int calls;
  private String failed = "";

  /** Fails call {@code nth}, counted from 1. */
  public FailNth(Kernel inner, int nth, Errno errno) {
    super(inner);
    this.nth = nth;
    this.errno = errno;
  }

  /** Which call failed; empty if so many were not made. */
  public String failed() {
    return failed;
  }

  private int count(String call, IntSupplier action) {
    return (int) count(call, (LongSupplier) action::getAsInt);
  }

  private long count(String call, LongSupplier action) {
    if (++calls == nth) {
      failed = call;
      return errno.negated();
    }
    return action.getAsLong();
  }

  @Override
  public int open(String path, int flags) {
    return path.startsWith("/dev/")
        ? count("open " + path, () -> super.open(path, flags))
        : super.open(path, flags);
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return count("ioctl 0x" + Long.toHexString(request), () -> super.ioctl(fd, request, argument));
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return count("mmap", () -> super.mmap(address, bytes, prot, flags, fd, offset));
  }

  @Override
  public int eventfd(int initial, int flags) {
    return count("eventfd", () -> super.eventfd(initial, flags));
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return count("memfd_create", () -> super.memfdCreate(name, flags));
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return count("ftruncate", () -> super.ftruncate(fd, bytes));
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return count("pread", () -> super.pread(fd, address, bytes, offset));
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return count("pwrite", () -> super.pwrite(fd, address, bytes, offset));
  }
}
