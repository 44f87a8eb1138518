package dev.iolite.kernel;

/**
 * A kernel that has nothing: tests override the few calls that they need. It is for what a real
 * kernel can't be made to do.
 */
public class StubKernel implements Kernel {
  @Override
  public int open(String path, int flags) {
    return Errno.ENOENT.negated();
  }

  @Override
  public int close(int fd) {
    return Errno.EBADF.negated();
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return Errno.EBADF.negated();
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return Errno.EBADF.negated();
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return Errno.EBADF.negated();
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return Errno.EBADF.negated();
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return Errno.EBADF.negated();
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return Errno.EBADF.negated();
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return Errno.EBADF.negated();
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return Errno.EBADF.negated();
  }

  @Override
  public int munmap(long address, long bytes) {
    return Errno.EINVAL.negated();
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return Errno.EINVAL.negated();
  }

  @Override
  public int eventfd(int initial, int flags) {
    return Errno.EMFILE.negated();
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return Errno.EMFILE.negated();
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return Errno.ENOENT.negated();
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return Errno.EBADF.negated();
  }
}
