package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A directory that only its user can reach: it belongs to the user of this process, and its mode is
 * 0700. It is opened once. Everything in it is looked up relative to that descriptor and never
 * through a symbolic link, so that nobody can substitute another directory or file.
 *
 * <p>Safe for use by several threads, until one of them closes it.
 */
public final class PrivateDirectory implements AutoCloseable {
  private static final int ONLY_THE_USER = 0700;
  private static final String SELF = "/proc/self/fd/";

  private final HostFiles files;
  private final Path path;
  private final int fd;

  private PrivateDirectory(HostFiles files, Path path, int fd) {
    this.files = files;
    this.path = path;
    this.fd = fd;
  }

  /**
   * Opens a directory, and makes it and its parents first if necessary.
   *
   * @throws PreconditionException if it cannot be made or opened, belongs to another user, or is
   *     accessible to others
   */
  public static PrivateDirectory make(HostFiles files, Path path) {
    make(files, path.toAbsolutePath(), "make the directory " + path);
    return find(files, path)
        .orElseThrow(() -> failed("open the directory " + path, Errno.ENOENT.negated()));
  }

  private static void make(HostFiles files, Path path, String tried) {
    int made = files.mkdir(path.toString());
    if (made == Errno.ENOENT.negated() && path.getParent() != null) {
      make(files, path.getParent(), tried);
      made = files.mkdir(path.toString());
    }
    if (made < 0 && made != Errno.EEXIST.negated()) {
      throw failed(tried, made);
    }
  }

  /**
   * Opens a directory; empty if it does not exist.
   *
   * @throws PreconditionException if it cannot be opened, belongs to another user, or is accessible
   *     to others
   */
  public static Optional<PrivateDirectory> find(HostFiles files, Path path) {
    String tried = "open the directory " + path;
    int flags = Libc.O_RDONLY() | Libc.O_DIRECTORY() | Libc.O_NOFOLLOW() | Libc.O_CLOEXEC();
    int fd = files.openat(Libc.AT_FDCWD(), path.toAbsolutePath().toString(), flags);
    if (fd == Errno.ENOENT.negated()) {
      return Optional.empty();
    }
    require(tried, fd);
    try (CloseStack opening = new CloseStack()) {
      PrivateDirectory opened = opening.push(new PrivateDirectory(files, path, fd));
      opened.requirePrivate(tried);
      opening.release();
      return Optional.of(opened);
    }
  }

  private void requirePrivate(String tried) {
    FileStatus status = status(fd);
    long user = Integer.toUnsignedLong(files.geteuid());
    if (status.user() != user) {
      throw new PreconditionException(
          tried,
          "it belongs to user %d, and this process is of user %d".formatted(status.user(), user),
          new Advice(
              "another user has made it; sudo -E keeps that user's XDG_RUNTIME_DIR",
              "use a directory of this user",
              Remedy.OTHER_RUN_DIRECTORY));
    }
    if (status.permissions() != ONLY_THE_USER) {
      throw new PreconditionException(
          tried,
          "its mode is %04o, and must be 0700".formatted(status.permissions()),
          new Advice(
              "it was made by another program, so others may have put files there",
              "check what is in it, then chmod 700 "
                  + path
                  + "; or use a directory that does not exist yet",
              Remedy.OTHER_RUN_DIRECTORY));
    }
  }

  /**
   * The status of an open descriptor: its link in procfs leads to the file itself, whatever its
   * name.
   */
  FileStatus status(int descriptor) {
    try {
      return FileStatus.of(Path.of(SELF + descriptor));
    } catch (IOException e) {
      throw failed("look at a file in " + path, e);
    }
  }

  /** The status of a name in it; empty if there is none. */
  public Optional<FileStatus> status(String name) {
    try {
      return Optional.of(FileStatus.of(reach(name), LinkOption.NOFOLLOW_LINKS));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw failed("look at " + path.resolve(name), e);
    }
  }

  /** Its path, for messages. */
  public Path path() {
    return path;
  }

  /**
   * A path that leads to a name in this very directory while it is open, for example to a socket.
   */
  public Path reach(String name) {
    return Path.of(SELF + fd, name);
  }

  /** The names in it, sorted. */
  public List<String> names() {
    try (Stream<Path> all = Files.list(Path.of(SELF + fd))) {
      return all.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw failed("list " + path, e);
    }
  }

  /** Whether a name in it is a socket. */
  public boolean hasSocket(String name) {
    return status(name).filter(FileStatus::isSocket).isPresent();
  }

  /** Deletes a name in it, if it exists. */
  public void delete(String name) {
    int deleted = files.unlinkat(fd, name);
    if (deleted != Errno.ENOENT.negated()) {
      require("delete " + path.resolve(name), deleted);
    }
  }

  /** Flushes the names in it to the disk. */
  public void sync() {
    require("write the directory " + path, files.fsync(fd));
  }

  /**
   * Opens a file and locks it, unless another open file description has the lock; {@link
   * PrivateFile#isLocked} says which. A file that was deleted before it could be locked is not
   * mistaken for the one that has the name now.
   *
   * @param make whether to make it, with mode 0600, if it does not exist
   * @return empty if it does not exist, and is not to be made
   * @throws PreconditionException if it cannot be opened or locked, or is not a regular file of
   *     this user
   */
  public Optional<PrivateFile> lock(String name, boolean make) {
    Optional<PrivateFile> opened = open(name, make);
    while (opened.isPresent() && opened.get().isLocked() && !opened.get().isCurrent()) {
      opened.get().close();
      opened = open(name, make);
    }
    return opened;
  }

  /**
   * Whether an open file description has the lock of a file; empty if there is no file of that
   * name. This takes no lock, so that it is in nobody's way.
   *
   * @throws PreconditionException if it cannot be opened
   */
  public Optional<Boolean> isLocked(String name) {
    int flags = Libc.O_RDONLY() | Libc.O_NOFOLLOW() | Libc.O_NONBLOCK() | Libc.O_CLOEXEC();
    int number = files.openat(fd, name, flags);
    if (number == Errno.ENOENT.negated()) {
      return Optional.empty();
    }
    require("open " + path.resolve(name), number);
    int locked = files.isLocked(number);
    files.close(number);
    require("ask for the lock of " + path.resolve(name), locked);
    return Optional.of(locked == 1);
  }

  /** Without O_NONBLOCK, opening a FIFO would wait for somebody at its other end. */
  private Optional<PrivateFile> open(String name, boolean make) {
    int flags = Libc.O_RDWR() | Libc.O_NOFOLLOW() | Libc.O_NONBLOCK() | Libc.O_CLOEXEC();
    int number = files.openat(fd, name, make ? flags | Libc.O_CREAT() : flags);
    if (!make && number == Errno.ENOENT.negated()) {
      return Optional.empty();
    }
    require("open " + path.resolve(name), number);
    return Optional.of(PrivateFile.of(files, this, name, number));
  }

  @Override
  public void close() {
    files.close(fd);
  }

  @Override
  public String toString() {
    return path.toString();
  }

  /**
   * Makes sure that a call has succeeded.
   *
   * @param result what it returned
   */
  static void require(String tried, long result) {
    if (result < 0) {
      throw failed(tried, result);
    }
  }

  private static PreconditionException failed(String tried, long result) {
    Errno errno = Errno.of(Math.toIntExact(-result));
    return new PreconditionException(tried, "the kernel said " + errno, advice(errno));
  }

  private static PreconditionException failed(String tried, IOException e) {
    PreconditionException failure =
        new PreconditionException(tried, String.valueOf(e.getMessage()), advice(Errno.UNKNOWN));
    failure.initCause(e);
    return failure;
  }

  private static Advice advice(Errno errno) {
    return switch (errno) {
      case ENOSPC ->
          new Advice(
              "the file system is full",
              "free some space there, or use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
      case EDQUOT ->
          new Advice(
              "this user's quota of the file system is used up",
              "free some space there, or use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
      case EROFS ->
          new Advice(
              "the file system is mounted read-only, perhaps after an error of the disk",
              "dmesg has the reason; use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
      case EIO ->
          new Advice(
              "the disk failed",
              "dmesg has the reason; use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
      case ELOOP, ENOTDIR, EISDIR, ENXIO ->
          new Advice(
              "a symbolic link, or another kind of file, has that name",
              "ls -l shows what it is; delete it, or use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
      default ->
          new Advice(
              "the name is misspelt, or the directory is another user's",
              "check the permissions with ls -ld, or use another directory",
              Remedy.OTHER_RUN_DIRECTORY);
    };
  }
}
