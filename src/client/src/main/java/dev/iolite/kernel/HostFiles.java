package dev.iolite.kernel;

/**
 * The system calls on files of the machine that this process runs on, whichever kernel the devices
 * are of. As in {@link Kernel}, every call returns what the system call returns, or the negated
 * errno, and none is repeated. Safe for use by several threads.
 */
public interface HostFiles {
  /**
   * Opens a file, as openat(2).
   *
   * @param directory a descriptor, or AT_FDCWD
   * @param path relative to the directory, without NUL characters
   * @param flags O_* bits; a created file is private to its owner (mode 0600)
   * @return the new descriptor or a negated errno
   */
  int openat(int directory, String path, int flags);

  /** Makes a directory that is private to its owner (mode 0700), as mkdir(2). */
  int mkdir(String path);

  /** Deletes a name that is none of a directory, as unlinkat(2). */
  int unlinkat(int directory, String name);

  /** Reads at an offset, as pread(2); returns the bytes read or a negated errno. */
  long pread(int fd, long address, long bytes, long offset);

  /** Writes at an offset, as pwrite(2); returns the bytes written or a negated errno. */
  long pwrite(int fd, long address, long bytes, long offset);

  /** Sets a file's size in bytes, as ftruncate(2). */
  int ftruncate(int fd, long bytes);

  /** Has everything of a file or directory reach the disk, as fsync(2). */
  int fsync(int fd);

  /**
   * Locks a file for this open file description alone, as fcntl(2) F_OFD_SETLK. Other opens of the
   * file by this process neither have the lock nor lose it when they are closed.
   *
   * @return 0, or a negated errno (EAGAIN: another has it)
   */
  int lock(int fd);

  /** Closes a descriptor, as close(2). */
  int close(int fd);

  /** The effective user id, as geteuid(2). */
  int geteuid();
}
