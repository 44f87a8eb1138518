package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A process's descriptors. A new file gets the lowest free number that is not below the first one.
 */
public final class Descriptors {
  /** The usual first number: 0 to 2 are the standard streams. */
  public static final int FIRST = 3;

  /** How many a process may have (RLIMIT_NOFILE's usual hard limit). */
  public static final int MOST = 1 << 20;

  private final List<@Nullable OpenFile> files = new ArrayList<>();
  private final BitSet used = new BitSet();

  private final Task task;
  private final CallerFiles own;

  Descriptors(Task task, CallerFiles own) {
    this.task = task;
    this.own = own;
    used.set(0, own.first());
    for (int i = 0; i < own.first(); i++) {
      files.add(null);
    }
  }

  /**
   * Gives a file a number, as get_unused_fd_flags and fd_install do. The table takes over the
   * caller's reference.
   *
   * @throws Refused EMFILE; the caller then still has its reference
   */
  public int install(OpenFile file) {
    int fd = used.nextClearBit(own.first());
    while (own.has(fd)) {
      fd = used.nextClearBit(fd + 1);
    }
    if (fd >= MOST) {
      throw refused(Errno.EMFILE);
    }
    used.set(fd);
    while (files.size() <= fd) {
      files.add(null);
    }
    files.set(fd, file);
    own.given(fd);
    return fd;
  }

  /**
   * The file with this number, as fdget returns it.
   *
   * @throws Refused EBADF if there is none, or it was opened with O_PATH
   */
  public OpenFile get(int fd) {
    OpenFile file =
        find(fd)
            .or(() -> own.find(task, fd).map(task::borrow))
            .orElseThrow(() -> refused(Errno.EBADF));
    refuseIf(file.isPath(), Errno.EBADF);
    return file;
  }

  /**
   * The file with this number, as fdget_raw returns it: it may have been opened with O_PATH.
   *
   * @throws Refused EBADF if there is none
   */
  OpenFile getRaw(int fd) {
    return find(fd).orElseThrow(() -> refused(Errno.EBADF));
  }

  private Optional<OpenFile> find(int fd) {
    return fd >= 0 && fd < files.size() ? Optional.ofNullable(files.get(fd)) : Optional.empty();
  }

  /**
   * The file with this number if it is of this kind, which drivers recognize by its operations.
   *
   * @throws Refused EBADF if there is none
   */
  public <T> Optional<T> get(int fd, Class<T> kind) {
    OpenFile file = get(fd);
    return kind.isInstance(file) ? Optional.of(kind.cast(file)) : Optional.empty();
  }

  /**
   * Frees a number and releases the table's reference.
   *
   * @throws Refused EBADF
   */
  public void close(int fd) {
    OpenFile file = getRaw(fd);
    files.set(fd, null);
    used.clear(fd);
    file.put();
  }

  /** The numbers that are in use. */
  public int[] numbers() {
    return used.stream().skip(own.first()).toArray();
  }
}
