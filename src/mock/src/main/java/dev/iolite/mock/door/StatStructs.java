package dev.iolite.mock.door;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.FileStatus;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.stat;
import dev.iolite.uapi.seccomp.statx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What stat(2) and statx(2) show of a file of the model. */
final class StatStructs {
  private StatStructs() {}

  /** struct stat. */
  static MemorySegment stat(Arena arena, FileStatus of) {
    MemorySegment struct = stat.allocate(arena);
    stat.st_mode(struct, of.mode());
    stat.st_nlink(struct, 1);
    stat.st_ino(struct, of.inode());
    stat.st_rdev(struct, number(of.major(), of.minor()));
    stat.st_blksize(struct, Page.BYTES);
    stat.st_size(struct, of.bytes());
    return struct;
  }

  /** struct statx. */
  static MemorySegment statx(Arena arena, FileStatus of) {
    MemorySegment struct = statx.allocate(arena);
    statx.stx_mask(struct, Seccomp.STATX_BASIC_STATS());
    statx.stx_mode(struct, (short) of.mode());
    statx.stx_nlink(struct, 1);
    statx.stx_ino(struct, of.inode());
    statx.stx_rdev_major(struct, of.major());
    statx.stx_rdev_minor(struct, of.minor());
    statx.stx_blksize(struct, (int) Page.BYTES);
    statx.stx_size(struct, of.bytes());
    return struct;
  }

  /** include/linux/kdev_t.h:new_encode_dev. */
  private static long number(int major, int minor) {
    return Integer.toUnsignedLong((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12));
  }
}
