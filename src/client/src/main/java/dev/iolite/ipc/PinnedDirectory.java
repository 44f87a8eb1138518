package dev.iolite.ipc;

import dev.iolite.kernel.FileStatus;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;

/**
 * An open directory, whose entries are reached through its descriptor: they stay the same wherever
 * its name leads later. This also keeps their paths short enough for a socket's address.
 */
final class PinnedDirectory implements AutoCloseable {
  private static final int ONLY_OWN = 0700;

  private final HostKernel host;
  private final int fd;

  private PinnedDirectory(HostKernel host, int fd) {
    this.host = host;
    this.fd = fd;
  }

  /** Opens the directory that a file is in. */
  static PinnedDirectory of(HostKernel host, Path file) throws SocketErrnoException {
    return open(host, file.toAbsolutePath().resolveSibling(""), 0);
  }

  /** The name of a file in its directory. */
  static String name(Path file) throws IOException {
    Path name = file.getFileName();
    if (name == null || name.toString().isEmpty()) {
      throw new IOException(file + " is a directory");
    }
    return name.toString();
  }

  private static PinnedDirectory open(HostKernel host, Path path, int flags)
      throws SocketErrnoException {
    int fd =
        host.open(
            path.toAbsolutePath().toString(),
            Libc.O_PATH() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC() | flags);
    if (fd < 0) {
      throw new SocketErrnoException("open the directory " + path, fd);
    }
    return new PinnedDirectory(host, fd);
  }

  /** An entry. */
  Path entry(String name) {
    return Path.of("/proc/self/fd/" + fd, name);
  }

  /** A name that no entry has yet. */
  static String freshName() {
    return ".iolite-" + UUID.randomUUID();
  }

  /** Makes a directory in it that only this user can use, and opens that. */
  PinnedDirectory makePrivate(String name) throws IOException {
    Path path = entry(name);
    Files.createDirectory(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    PinnedDirectory made = open(host, path, Libc.O_NOFOLLOW());
    try {
      FileStatus status = FileStatus.of(Path.of("/proc/self/fd/" + made.fd));
      if (status.user() != SocketFd.ownUser(host) || status.permissions() != ONLY_OWN) {
        throw new IOException("another user has replaced " + name + " in the directory");
      }
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  @Override
  public void close() {
    host.close(fd);
  }
}
