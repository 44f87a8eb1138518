package dev.iolite.pci;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.nio.file.Path;

/** The host's kernel with a directory in the place of the file system's root, as if of sysfs. */
class TreeKernel extends ForwardingKernel {
  private final Path root;

  TreeKernel(Path root) {
    super(new HostKernel());
    this.root = root;
  }

  @Override
  public int open(String path, int flags) {
    // A write to a file of sysfs replaces its content.
    boolean write = (flags & Libc.O_ACCMODE()) == Libc.O_WRONLY();
    return super.open(root + path, write ? flags | Libc.O_TRUNC() : flags);
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return super.readlink(root + path, address, bytes);
  }
}
