package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Lists a directory of the machine's as the program shall see it: without those of its names that
 * the model would have, and with those that it has.
 */
final class MergedList {
  /** More than any program asks for at once. */
  static final int MOST_BYTES = 1 << 16;

  /** struct linux_dirent64. */
  private static final long POSITION = 8;

  private static final long LENGTH = 16;
  private static final long TYPE = 18;
  private static final long NAME = 19;

  /** The longest entry: NAME_MAX and its end. */
  private static final long MOST_OF_ENTRY = (NAME + 256 + 7) & -8;

  private static final int TYPE_SHIFT = 12;

  private final HostKernel host;
  private final MockKernel model;
  private final String path;

  MergedList(HostKernel host, MockKernel model, String path) {
    this.host = host;
    this.model = model;
    this.path = path;
  }

  /**
   * The next entries, as getdents64(2) returns them. The model's come with the first ones.
   *
   * @param directory a descriptor of the machine's
   * @return how many bytes they have, or a negated errno
   */
  int read(int directory, MemorySegment into) {
    boolean isFirst = host.lseek(directory, 0, Libc.SEEK_CUR()) == 0;
    List<String> added =
        isFirst ? model.names(path).stream().filter(this::isModels).toList() : List.of();
    long room = into.byteSize() - added.stream().mapToLong(MergedList::bytes).sum();
    if (room < MOST_OF_ENTRY) {
      return Errno.EINVAL.negated();
    }
    int kept = 0;
    while (kept == 0) {
      long read = host.getdents(directory, into.address(), room);
      if (read <= 0) {
        return (int) read;
      }
      kept = keep(into, read);
    }
    long next = host.lseek(directory, 0, Libc.SEEK_CUR());
    for (String name : added) {
      kept += append(into, kept, next, name);
    }
    return kept;
  }

  private boolean isModels(String name) {
    return Territory.has(path + "/" + name);
  }

  /** Moves the entries together that are not of the model's names; returns their bytes. */
  private int keep(MemorySegment entries, long bytes) {
    long kept = 0;
    for (long at = 0; at < bytes; ) {
      int length = Short.toUnsignedInt(entries.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + LENGTH));
      if (!isModels(entries.getString(at + NAME))) {
        MemorySegment.copy(entries, at, entries, kept, length);
        kept += length;
      }
      at += length;
    }
    return (int) kept;
  }

  private static int bytes(String name) {
    return (int) (NAME + name.getBytes(StandardCharsets.UTF_8).length + 1 + 7) & -8;
  }

  /** Adds an entry of the model's; where a list goes on after it is where it does before. */
  private int append(MemorySegment entries, int at, long next, String name) {
    MemorySegment entry = entries.asSlice(at, bytes(name));
    model.status(
        path + "/" + name,
        false,
        found -> {
          entry.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, found.inode());
          entry.set(ValueLayout.JAVA_BYTE, TYPE, (byte) (found.mode() >> TYPE_SHIFT));
        });
    entry.set(ValueLayout.JAVA_LONG_UNALIGNED, POSITION, next);
    entry.set(ValueLayout.JAVA_SHORT_UNALIGNED, LENGTH, (short) entry.byteSize());
    entry.setString(NAME, name);
    return (int) entry.byteSize();
  }
}
