package dev.iolite.tdi;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingFiles;
import dev.iolite.uapi.libc.Libc;
import java.util.concurrent.atomic.AtomicInteger;

/** This host's files, on a disk of which a change fails, or all from one on. */
final class FullDisk extends ForwardingFiles {
  private final int nth;
  private final Errno errno;
  private final boolean isForGood;
  private final AtomicInteger changes = new AtomicInteger();

  /**
   * Prepares it.
   *
   * @param nth which change fails, from 1; 0: none does
   * @param isForGood whether those after it fail too
   */
  FullDisk(int nth, Errno errno, boolean isForGood) {
    this.nth = nth;
    this.errno = errno;
    this.isForGood = isForGood;
  }

  /** How many changes were tried. */
  int changes() {
    return changes.get();
  }

  private boolean fails() {
    int change = changes.incrementAndGet();
    return nth != 0 && (isForGood ? change >= nth : change == nth);
  }

  @Override
  public int openat(int directory, String path, int flags) {
    return (flags & Libc.O_CREAT()) != 0 && fails()
        ? errno.negated()
        : super.openat(directory, path, flags);
  }

  @Override
  public int unlinkat(int directory, String name) {
    return fails() ? errno.negated() : super.unlinkat(directory, name);
  }

  /** The first half is written, as on a disk that is full then. */
  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    if (!fails()) {
      return super.pwrite(fd, address, bytes, offset);
    }
    super.pwrite(fd, address, bytes / 2, offset);
    return errno.negated();
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return fails() ? errno.negated() : super.ftruncate(fd, bytes);
  }

  @Override
  public int fsync(int fd) {
    return fails() ? errno.negated() : super.fsync(fd);
  }
}
