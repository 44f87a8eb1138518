package dev.iolite.kernel;

import java.util.Optional;

/**
 * The system calls that iolite makes, with the kernel's own descriptors and addresses.
 *
 * <p>Every call returns what the system call returns, or the negated errno ({@code -22} for EINVAL)
 * in the range {@code [-4095, -1]}. The error travels in the return value, so it can't be lost
 * between two calls or two threads. No method retries, and none throws if a call fails; {@link Fd}
 * does both.
 *
 * <p>Addresses point into native memory that stays allocated during the call. Every implementation
 * must treat a bad address as the kernel does, with EFAULT.
 *
 * <p>Implementations are safe for use by several threads.
 */
public interface Kernel {
  /** The largest errno; a result in {@code [-MAX_ERRNO, -1]} is an error, anything else is not. */
  int MAX_ERRNO = 4095;

  /**
   * Opens a file, like open(2).
   *
   * @param path absolute path, without NUL characters
   * @param flags O_* bits; a created file is private to its owner (mode 0600)
   * @return the new descriptor or a negated errno
   */
  int open(String path, int flags);

  /**
   * Closes a descriptor, like close(2). The descriptor is gone whatever this returns, unless it was
   * not open (EBADF).
   */
  int close(int fd);

  /** Reads at the file's position, like read(2); returns the bytes read or a negated errno. */
  long read(int fd, long address, long bytes);

  /** Writes at the file's position, like write(2); returns the bytes written or a negated errno. */
  long write(int fd, long address, long bytes);

  /** Reads at an offset, like pread(2); returns the bytes read or a negated errno. */
  long pread(int fd, long address, long bytes, long offset);

  /** Writes at an offset, like pwrite(2); returns the bytes written or a negated errno. */
  long pwrite(int fd, long address, long bytes, long offset);

  /** Moves the file's position, like lseek(2); returns the new position or a negated errno. */
  long lseek(int fd, long offset, int whence);

  /** Sets a file's size in bytes, like ftruncate(2). */
  int ftruncate(int fd, long bytes);

  /**
   * Allocates a range of a file, or frees its pages, like fallocate(2).
   *
   * @param mode FALLOC_FL_* bits
   */
  int fallocate(int fd, int mode, long offset, long bytes);

  /**
   * Adds seals to a memfd, like fcntl(2) with F_ADD_SEALS; returns 0 or a negated errno.
   *
   * @param seals F_SEAL_* bits
   */
  int addSeals(int fd, int seals);

  /**
   * Makes an ioctl, like ioctl(2).
   *
   * @param request the command number, of which the kernel sees the low 32 bits
   * @param argument an address or a plain value, as the command requires
   * @return what the command returns (0, a count or a descriptor) or a negated errno
   */
  int ioctl(int fd, long request, long argument);

  /**
   * Maps memory, like mmap(2).
   *
   * @return the address, or a negated errno in {@code [-MAX_ERRNO, -1]}
   */
  long mmap(long address, long bytes, int prot, int flags, int fd, long offset);

  /** Unmaps memory, like munmap(2). */
  int munmap(long address, long bytes);

  /**
   * How to access the registers that {@link #mmap} mapped; not a system call. On a host, the
   * mapping itself is accessed.
   *
   * @param address where the mapping starts
   * @return empty if the mapping itself is to be accessed
   */
  Optional<Registers> registers(long address);

  /**
   * Waits for events, like poll(2).
   *
   * @param pollfds address of {@code count} structs pollfd
   * @param timeoutMillis at most this long; negative waits forever
   * @return how many descriptors have events (0: timed out) or a negated errno
   */
  int poll(long pollfds, int count, int timeoutMillis);

  /** Makes an eventfd, like eventfd(2); returns the descriptor or a negated errno. */
  int eventfd(int initial, int flags);

  /** Makes an anonymous file in memory, like memfd_create(2). */
  int memfdCreate(String name, int flags);

  /** Reads a symbolic link, like readlink(2); returns its length or a negated errno. */
  long readlink(String path, long address, long bytes);

  /**
   * Reads directory entries, like getdents64(2), into structs linux_dirent64; returns the bytes
   * filled, 0 at the end.
   */
  long getdents(int fd, long address, long bytes);

  /** The signal of {@link #interrupt}: Linux's last one. */
  int INTERRUPTION = 64;

  /**
   * Prepares the calling thread for {@link #interrupt}, and returns its id, like gettid(2).
   *
   * @return the thread's id, or a negated errno (EBUSY: the process has no signal to spare)
   */
  int interruptible();

  /**
   * Takes a thread out of the call in which it blocks, if that call gives up with EINTR on any
   * signal, as KVM_RUN does. A thread that is not in such a call notices nothing.
   *
   * @param tid what {@link #interruptible} returned in that thread
   * @return 0, or a negated errno (ESRCH: the thread has ended; EAGAIN: too many signals are
   *     pending)
   */
  int interrupt(int tid);
}
