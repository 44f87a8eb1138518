package dev.iolite.ipc;

import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.UUID;

/**
 * An open directory, whose entries are reached through its descriptor: wherever its name leads
 * later, they stay the same. It also keeps their paths short enough for a socket's address.
 */
final class PinnedDirectory implements AutoCloseable {
  private static final int PERMISSIONS = 0777;

  private final HostKernel host;
  private final int fd;

  private PinnedDirectory(HostKernel host, int fd) {
    this.host = host;
    this.fd = fd;
  }

  /** Opens a directory. */
  static PinnedDirectory open(HostKernel host, Path path) throws SocketFailure {
    return open(host, path, 0);
  }

  private static PinnedDirectory open(HostKernel host, Path path, int flags) throws SocketFailure {
    int fd =
        host.open(
            path.toAbsolutePath().toString(),
            Libc.O_PATH() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC() | flags);
    if (fd < 0) {
      throw new SocketFailure("open the directory " + path, fd);
    }
    return new PinnedDirectory(host, fd);
  }

  /** An entry. */
  Path entry(String name) {
    return Path.of("/proc/self/fd/" + fd, name);
  }

  /** A name that no entry has. */
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
      Map<String, Object> found =
          Files.readAttributes(Path.of("/proc/self/fd/" + made.fd), "unix:uid,mode");
      if ((int) found.get("uid") != (int) SocketFd.ownUser(host)
          || ((int) found.get("mode") & PERMISSIONS) != 0700) {
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
