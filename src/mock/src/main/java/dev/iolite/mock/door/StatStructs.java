package dev.iolite.mock.door;

import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.stat;
import dev.iolite.uapi.seccomp.statx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What stat(2) and statx(2) show of a file of the model. */
final class StatStructs {
  private StatStructs() {}

  /** struct stat. */
  static MemorySegment stat(Arena arena, int mode, String name) {
    MemorySegment struct = stat.allocate(arena);
    stat.st_mode(struct, mode);
    stat.st_nlink(struct, 1);
    stat.st_ino(struct, name.hashCode() & 0xffff_ffffL);
    stat.st_blksize(struct, Page.BYTES);
    stat.st_size(struct, bytes(mode));
    return struct;
  }

  /** struct statx. */
  static MemorySegment statx(Arena arena, int mode, String name) {
    MemorySegment struct = statx.allocate(arena);
    statx.stx_mask(struct, Seccomp.STATX_BASIC_STATS());
    statx.stx_mode(struct, (short) mode);
    statx.stx_nlink(struct, 1);
    statx.stx_ino(struct, name.hashCode() & 0xffff_ffffL);
    statx.stx_blksize(struct, (int) Page.BYTES);
    statx.stx_size(struct, bytes(mode));
    return struct;
  }

  /** An attribute of sysfs is a page long, whatever it shows (fs/sysfs/file.c). */
  private static long bytes(int mode) {
    return (mode & Libc.S_IFMT()) == Libc.S_IFREG() ? Page.BYTES : 0;
  }
}
