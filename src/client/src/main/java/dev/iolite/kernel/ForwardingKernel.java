package dev.iolite.kernel;

import java.util.Optional;

/**
 * Passes every call on to another kernel. A subclass overrides the calls that it watches or
 * changes.
 *
 * <p>Safe for use by several threads, like every kernel.
 */
public class ForwardingKernel implements Kernel {
  private final Kernel inner;

  /** Passes calls on to this kernel. */
  protected ForwardingKernel(Kernel inner) {
    this.inner = inner;
  }

  @Override
  public int open(String path, int flags) {
    return inner.open(path, flags);
  }

  @Override
  public int close(int fd) {
    return inner.close(fd);
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return inner.read(fd, address, bytes);
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return inner.write(fd, address, bytes);
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return inner.pread(fd, address, bytes, offset);
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return inner.pwrite(fd, address, bytes, offset);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return inner.lseek(fd, offset, whence);
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return inner.ftruncate(fd, bytes);
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return inner.fallocate(fd, mode, offset, bytes);
  }

  @Override
  public int addSeals(int fd, int seals) {
    return inner.addSeals(fd, seals);
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return inner.ioctl(fd, request, argument);
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return inner.mmap(address, bytes, prot, flags, fd, offset);
  }

  @Override
  public int munmap(long address, long bytes) {
    return inner.munmap(address, bytes);
  }

  @Override
  public Optional<Registers> registers(long address) {
    return inner.registers(address);
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return inner.poll(pollfds, count, timeoutMillis);
  }

  @Override
  public int eventfd(int initial, int flags) {
    return inner.eventfd(initial, flags);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return inner.memfdCreate(name, flags);
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return inner.readlink(path, address, bytes);
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return inner.getdents(fd, address, bytes);
  }

  @Override
  public int interruptible() {
    return inner.interruptible();
  }

  @Override
  public int interrupt(int tid) {
    return inner.interrupt(tid);
  }
}
