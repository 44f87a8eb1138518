package dev.iolite.mock.core;

/**
 * What stat(2) shows of a file.
 *
 * @param mode its type and permissions
 * @param bytes its size
 * @param inode the number that tells it from other files
 */
public record FileStatus(int mode, long bytes, long inode) {
  private static final int OF_OWNER = 0600;
  private static final long NUMBERS = 0xffff_ffffL;

  /** A file that is known by its name. */
  public static FileStatus named(int mode, long bytes, String name) {
    return new FileStatus(mode, bytes, name.hashCode() & NUMBERS);
  }

  /** An anonymous inode, which has no type (fs/libfs.c:alloc_anon_inode). */
  static FileStatus anonymous(String name) {
    return named(OF_OWNER, 0, name);
  }
}
