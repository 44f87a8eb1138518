package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/**
 * What the file system says about a file.
 *
 * @param device the file system; together with the inode, it tells files of the same name apart
 * @param mode its type and permissions, like st_mode of stat(2)
 * @param user its owner
 * @param modified when its content was last changed
 */
public record FileStatus(long device, long inode, int mode, long user, Instant modified) {
  private static final int PERMISSIONS = 07777;

  /** The status of a file, or of a link itself if links are not to be followed. */
  public static FileStatus of(Path file, LinkOption... options) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(file, "unix:dev,ino,mode,uid,lastModifiedTime", options);
    return new FileStatus(
        number(found, "dev"),
        number(found, "ino"),
        (int) number(found, "mode"),
        number(found, "uid") & 0xffff_ffffL,
        ((FileTime) Objects.requireNonNull(found.get("lastModifiedTime"))).toInstant());
  }

  private static long number(Map<String, Object> found, String name) {
    return ((Number) Objects.requireNonNull(found.get(name), name)).longValue();
  }

  /** Whether it has this type, an S_IF constant. */
  boolean is(int type) {
    return (mode & Libc.S_IFMT()) == type;
  }

  /** Whether it is a socket. */
  public boolean isSocket() {
    return is(Libc.S_IFSOCK());
  }

  /** What its owner, its group and others may do with it. */
  public int permissions() {
    return mode & PERMISSIONS;
  }

  /** Whether it is the same file. */
  public boolean isSame(FileStatus other) {
    return device == other.device && inode == other.inode;
  }
}
