package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;

/** A file with a position: a read or write continues where the last one ended. */
public abstract class PositionedFile extends OpenFile {
  private long position;

  /** Makes a file, positioned at its start. */
  protected PositionedFile(Task task) {
    super(task);
  }

  /** Where the next read or write begins, in bytes. */
  protected final long position() {
    return position;
  }

  /** Moves the position. */
  protected final long moveTo(long offset) {
    position = offset;
    return offset;
  }

  /**
   * lseek(2) of a file of that size (fs/read_write.c:generic_file_llseek): all of it is data.
   *
   * @throws Refused EINVAL, or ENXIO: there are no data from the offset on
   */
  protected final long moveWithin(long size, long offset, int whence) {
    if (whence == Libc.SEEK_DATA() || whence == Libc.SEEK_HOLE()) {
      refuseIf(Long.compareUnsigned(offset, size) >= 0, Errno.ENXIO);
      return moveTo(whence == Libc.SEEK_DATA() ? offset : size);
    }
    long target = from(whence, size) + offset;
    refuseIf(target < 0, Errno.EINVAL);
    return moveTo(target);
  }

  private long from(int whence, long size) {
    if (whence == Libc.SEEK_SET()) {
      return 0;
    }
    if (whence == Libc.SEEK_CUR()) {
      return position;
    }
    if (whence == Libc.SEEK_END()) {
      return size;
    }
    throw refused(Errno.EINVAL);
  }

  @Override
  public final long read(long address, long bytes) {
    long done = pread(address, bytes, position);
    position += done;
    return done;
  }

  @Override
  public final long write(long address, long bytes) {
    long done = pwrite(address, bytes, position);
    position += done;
    return done;
  }

  @Override
  public abstract long pread(long address, long bytes, long offset);

  @Override
  public abstract long pwrite(long address, long bytes, long offset);
}
