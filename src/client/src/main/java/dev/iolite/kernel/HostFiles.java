package dev.iolite.kernel;

/**
 * The system calls on files of the machine that this process runs on, whichever kernel the devices
 * belong to. As in {@link Kernel}, every call returns what the system call returns, or the negated
 * errno, and none is repeated. Safe for use by several threads.
 */
public interface HostFiles {
  /**
   * Opens a file, like openat(2).
   *
   * @param directory a descriptor, or AT_FDCWD
   * @param path relative to the directory, without NUL characters
   * @param flags O_* bits; a created file is private to its owner (mode 0600)
   * @return the new descriptor or a negated errno
   */
  int openat(int directory, String path, int flags);

  /** Makes a directory that is private to its owner (mode 0700), like mkdir(2). */
  int mkdir(String path);

  /** Deletes a name that is not a directory's, like unlinkat(2). */
  int unlinkat(int directory, String name);

  /** Reads at an offset, like pread(2); returns the bytes read or a negated errno. */
  long pread(int fd, long address, long bytes, long offset);

  /** Writes at an offset, like pwrite(2); returns the bytes written or a negated errno. */
  long pwrite(int fd, long address, long bytes, long offset);

  /** Sets a file's size in bytes, like ftruncate(2). */
  int ftruncate(int fd, long bytes);

  /** Flushes a file or directory to the disk, like fsync(2). */
  int fsync(int fd);

  /**
   * Locks a file for this open file description alone, like fcntl(2) with F_OFD_SETLK. Other open
   * file descriptions of this process do not share the lock, and closing them does not release it.
   *
   * @return 0, or a negated errno (EAGAIN: another open file description has it)
   */
  int lock(int fd);

  /**
   * Whether another open file description has a lock on a file, like fcntl(2) with F_OFD_GETLK.
   * This takes no lock itself, so that nobody is kept from taking one.
   *
   * @return 1 or 0, or a negated errno
   */
  int isLocked(int fd);

  /** Closes a descriptor, like close(2). */
  int close(int fd);

  /** The effective user id, like geteuid(2). */
  int geteuid();
}
