package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import java.util.List;

/**
 * An open file, the kernel's struct file. The calls here answer as the kernel does for a file whose
 * driver lacks the operation; each kind of file overrides the ones that it supports.
 *
 * <p>It lives while a descriptor, a mapping or another object refers to it, and is released when
 * the last of them goes. Everything is called under the kernel's lock.
 */
public abstract class OpenFile {
  private static final int READ = 1;
  private static final int WRITE = 2;

  private final Task task;
  private int references = 1;

  /** FMODE_READ and FMODE_WRITE. */
  private int mode = READ | WRITE;

  private boolean isOfName;
  private boolean isNonBlocking;

  /** Makes a file of the task, with one reference, which the caller gives to a descriptor. */
  protected OpenFile(Task task) {
    this.task = task;
  }

  /** The process that opened it. */
  protected final Task task() {
    return task;
  }

  /** Takes a reference, as get_file does. */
  public final void get() {
    references++;
  }

  /** Releases a reference, as fput does; the last one releases the file. */
  public final void put() {
    if (--references == 0) {
      release();
    }
  }

  /**
   * Notes that it was opened by its name (fs/open.c:do_dentry_open).
   *
   * @param flags the flags of open(2)
   */
  final void opened(int flags) {
    isOfName = true;
    isNonBlocking = (flags & Libc.O_NONBLOCK()) != 0;
    access(flags);
  }

  /**
   * Sets what it may be used for (OPEN_FMODE); initially both.
   *
   * @param flags only the O_ACCMODE bits count
   */
  protected final void access(int flags) {
    mode = (flags + 1) & Libc.O_ACCMODE();
  }

  /** Whether it was opened with O_NONBLOCK. */
  protected final boolean isNonBlocking() {
    return isNonBlocking;
  }

  /** Whether it only names a file (FMODE_PATH). */
  boolean isPath() {
    return false;
  }

  /** Refuses read(2) with EBADF if it was not opened for reading (fs/read_write.c:vfs_read). */
  public final void requireReadable() {
    refuseIf((mode & READ) == 0, Errno.EBADF);
  }

  /** Refuses write(2) with EBADF if it was not opened for writing (fs/read_write.c:vfs_write). */
  public final void requireWritable() {
    refuseIf(!isWritable(), Errno.EBADF);
  }

  /** Whether it was opened for writing (FMODE_WRITE). */
  protected final boolean isWritable() {
    return (mode & WRITE) != 0;
  }

  /** The same for pread(2), which a file without positions refuses first (FMODE_PREAD). */
  public final void requireReadableAt() {
    if (isOfName) {
      requireReadable();
    }
  }

  /** The same for pwrite(2), which a file without positions refuses first (FMODE_PWRITE). */
  public void requireWritableAt() {
    if (isOfName) {
      requireWritable();
    }
  }

  /** Refuses mmap(2) with EACCES if the file's mode does not allow it (mm/mmap.c:do_mmap). */
  final void requireMappable(int protection, int flags) {
    boolean writes = (flags & Libc.MAP_SHARED()) != 0 && (protection & Libc.PROT_WRITE()) != 0;
    refuseIf((writes && !isWritable()) || (mode & READ) == 0, Errno.EACCES);
  }

  /** The content of its link in {@code /proc/self/fd}. */
  public abstract String name();

  /** What the driver adds to its file in {@code /proc/self/fdinfo} (fs/proc/fd.c:seq_show). */
  public String info() {
    return "";
  }

  /**
   * What was made through it and not undone, such as an IOAS of an iommufd; one a line. Not what
   * has a descriptor of its own.
   */
  protected List<String> held() {
    return List.of();
  }

  /** Called when the last reference is gone. */
  protected void release() {}

  /**
   * ioctl(2); a file without the operation says ENOTTY (fs/ioctl.c:vfs_ioctl).
   *
   * @param request the command, 32 bits
   * @param argument as the caller gave it
   * @return the call's result, not negative
   */
  public int ioctl(int request, long argument) {
    throw refused(Errno.ENOTTY);
  }

  /** read(2); EINVAL without the operation (fs/read_write.c:vfs_read). */
  public long read(long address, long bytes) {
    throw refused(Errno.EINVAL);
  }

  /** write(2); EINVAL without the operation (fs/read_write.c:vfs_write). */
  public long write(long address, long bytes) {
    throw refused(Errno.EINVAL);
  }

  /**
   * pread(2); without the operation ESPIPE for a file without positions, EINVAL for one that was
   * opened by its name (fs/read_write.c:ksys_pread64, vfs_read).
   */
  public long pread(long address, long bytes, long offset) {
    throw refused(isOfName ? Errno.EINVAL : Errno.ESPIPE);
  }

  /** pwrite(2); refuses as {@link #pread} does (fs/read_write.c:ksys_pwrite64, vfs_write). */
  public long pwrite(long address, long bytes, long offset) {
    throw refused(isOfName ? Errno.EINVAL : Errno.ESPIPE);
  }

  /** lseek(2); ESPIPE for a file without positions (fs/read_write.c:vfs_llseek). */
  public long lseek(long offset, int whence) {
    throw refused(Errno.ESPIPE);
  }

  /** ftruncate(2); EINVAL for anything but a regular file (fs/open.c:do_ftruncate). */
  public void truncate(long bytes) {
    throw refused(Errno.EINVAL);
  }

  /**
   * fcntl(2) with F_ADD_SEALS; EINVAL for anything but a memfd (mm/memfd.c:memfd_add_seals).
   *
   * @param seals F_SEAL_* bits
   */
  public void addSeals(int seals) {
    throw refused(isWritable() ? Errno.EINVAL : Errno.EPERM);
  }

  /**
   * fallocate(2); ENODEV for anything but a regular file (fs/open.c:vfs_fallocate).
   *
   * @param bytes how many from {@code offset} on; the range is not empty
   */
  public void allocate(int mode, long offset, long bytes) {
    throw refused(Errno.ENODEV);
  }

  /** fstat(2) of a file that has no path. */
  public FileStatus status() {
    return FileStatus.anonymous(name());
  }

  /** Directory entries; ENOTDIR for anything but a directory (fs/readdir.c:iterate_dir). */
  public long entries(long address, long bytes) {
    throw refused(Errno.ENOTDIR);
  }

  /**
   * mmap(2): says what is to be mapped; ENODEV without the operation (mm/mmap.c:do_mmap).
   *
   * @param request what the caller wants, with whole pages
   */
  public MappedObject mmap(MapRequest request) {
    throw refused(Errno.ENODEV);
  }

  /** The POLL* bits that hold now; a file without the operation is always ready. */
  public int poll() {
    return Libc.POLLIN() | Libc.POLLOUT();
  }

  @Override
  public String toString() {
    return name();
  }
}
