package dev.iolite.ipc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * What the file system says of a file.
 *
 * @param device the file system; with the inode it tells files of one name apart
 * @param mode its type and permissions, as st_mode of stat(2)
 */
record FileStatus(long device, long inode, int mode, long user) {
  private static final int TYPE = 0170000;
  private static final int SOCKET = 0140000;
  private static final int PERMISSIONS = 07777;

  /** Of a file, or of a link to one if links are not to be followed. */
  static FileStatus of(Path file, LinkOption... options) throws IOException {
    Map<String, Object> found = Files.readAttributes(file, "unix:dev,ino,mode,uid", options);
    return new FileStatus(
        number(found, "dev"),
        number(found, "ino"),
        (int) number(found, "mode"),
        number(found, "uid") & 0xffff_ffffL);
  }

  private static long number(Map<String, Object> found, String name) {
    return ((Number) Objects.requireNonNull(found.get(name), name)).longValue();
  }

  boolean isSocket() {
    return (mode & TYPE) == SOCKET;
  }

  int permissions() {
    return mode & PERMISSIONS;
  }

  /** Whether it is the same file. */
  boolean isSame(FileStatus other) {
    return device == other.device && inode == other.inode;
  }
}
