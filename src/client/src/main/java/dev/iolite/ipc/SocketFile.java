package dev.iolite.ipc;

import dev.iolite.kernel.FileStatus;
import dev.iolite.kernel.HostKernel;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The file of a socket. bind(2) makes it with the permissions that the umask leaves, so it is made
 * in a new directory that only this user can enter. There it gets its permissions and its queue,
 * and only then is it linked to its place: anybody who finds it there finds it complete.
 */
final class SocketFile {
  private static final String MADE = "socket";
  private static final String STALE = "stale";
  private static final int MOST_TRIES = 8;

  private final Path path;
  private final FileStatus made;

  private SocketFile(Path path, FileStatus made) {
    this.path = path;
    this.made = made;
  }

  /** Makes a socket listen at a path. */
  static SocketFile make(HostKernel host, SocketFd socket, Path path, int backlog)
      throws IOException {
    String name = PinnedDirectory.name(path);
    String stagingName = PinnedDirectory.freshName();
    try (PinnedDirectory directory = PinnedDirectory.of(host, path);
        PinnedDirectory staging = directory.makePrivate(stagingName)) {
      Path made = staging.entry(MADE);
      try {
        socket.bind(made);
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
        socket.listen(backlog);
        FileStatus status = status(made);
        place(made, directory.entry(name), staging.entry(STALE), SocketFd.ownUser(host));
        return new SocketFile(path.toAbsolutePath(), status);
      } finally {
        Files.deleteIfExists(made);
        Files.deleteIfExists(directory.entry(stagingName));
      }
    }
  }

  /** Links a socket to its place, and removes a stale one from there. */
  private static void place(Path made, Path place, Path aside, long user) throws IOException {
    for (int i = 0; i < MOST_TRIES; i++) {
      try {
        Files.createLink(place, made);
        return;
      } catch (FileAlreadyExistsException _) {
        removeStale(place, aside, user);
      }
    }
    throw new OccupiedException("others keep making sockets there", true);
  }

  /** Checks it again where nobody else can replace it, before deleting it. */
  private static void removeStale(Path place, Path aside, long user) throws IOException {
    try {
      requireStale(place, user);
      Files.move(place, aside, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException _) {
      return;
    }
    try {
      requireStale(aside, user);
    } catch (IOException e) {
      Files.move(aside, place);
      throw e;
    }
    Files.delete(aside);
  }

  private static void requireStale(Path file, long user) throws IOException {
    FileStatus found = status(file);
    if (!found.isSocket()) {
      throw new OccupiedException("something is there that is no socket", false);
    }
    if (found.user() != user) {
      throw new OccupiedException("a socket of user %d is there".formatted(found.user()), false);
    }
    if (LocalSocket.isListening(file)) {
      throw new OccupiedException("a process listens there", true);
    }
  }

  private static FileStatus status(Path file) throws IOException {
    return FileStatus.of(file, LinkOption.NOFOLLOW_LINKS);
  }

  /** Deletes it, unless something else has taken its place. */
  void delete() throws IOException {
    try {
      if (status(path).isSame(made)) {
        Files.delete(path);
      }
    } catch (NoSuchFileException _) {
      // Somebody else has deleted it.
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
