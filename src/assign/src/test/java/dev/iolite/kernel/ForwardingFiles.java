package dev.iolite.kernel;

/** This host's files; a subclass overrides the calls that it watches or changes. */
public class ForwardingFiles implements HostFiles {
  private final HostKernel host = new HostKernel();

  @Override
  public int openat(int directory, String path, int flags) {
    return host.openat(directory, path, flags);
  }

  @Override
  public int mkdir(String path) {
    return host.mkdir(path);
  }

  @Override
  public int unlinkat(int directory, String name) {
    return host.unlinkat(directory, name);
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return host.pread(fd, address, bytes, offset);
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return host.pwrite(fd, address, bytes, offset);
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return host.ftruncate(fd, bytes);
  }

  @Override
  public int fsync(int fd) {
    return host.fsync(fd);
  }

  @Override
  public int lock(int fd) {
    return host.lock(fd);
  }

  @Override
  public int isLocked(int fd) {
    return host.isLocked(fd);
  }

  @Override
  public int close(int fd) {
    return host.close(fd);
  }

  @Override
  public int geteuid() {
    return host.geteuid();
  }
}
