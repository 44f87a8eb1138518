package dev.iolite.mock.core;

/**
 * What stat(2) shows of a file.
 *
 * @param mode its type and permissions
 * @param bytes its size
 * @param inode the number that tells it from other files
 * @param major of a device's node, its driver's number; else 0
 * @param minor of a device's node, its own number; else 0
 */
public record FileStatus(int mode, long bytes, long inode, int major, int minor) {
  private static final int OF_OWNER = 0600;
  private static final long NUMBERS = 0xffff_ffffL;

  /** A file that is no device's node. */
  public FileStatus(int mode, long bytes, long inode) {
    this(mode, bytes, inode, 0, 0);
  }

  /** A file that is known by its name. */
  static FileStatus named(int mode, long bytes, String name) {
    return new FileStatus(mode, bytes, name.hashCode() & NUMBERS);
  }

  /** The same, of a device's node. */
  FileStatus ofDevice(int ofDriver, int own) {
    return new FileStatus(mode, bytes, inode, ofDriver, own);
  }

  /** An anonymous inode, which has no type (fs/libfs.c:alloc_anon_inode). */
  static FileStatus anonymous(String name) {
    return named(OF_OWNER, 0, name);
  }
}
