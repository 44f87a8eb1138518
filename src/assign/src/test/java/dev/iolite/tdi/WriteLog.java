package dev.iolite.tdi;

import dev.iolite.kernel.ForwardingFiles;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * This host's files, with a log of the changes to one file, from which what a crash leaves of it
 * can be made: what was synced is there, and of the rest anything may be.
 */
final class WriteLog extends ForwardingFiles {
  /** What happens to changes that were not synced. */
  enum Rest {
    /** None has reached the disk. */
    LOST,
    /** All have. */
    KEPT,
    /** All but the second half of the last write. */
    TORN,
    /** All but the first write, in the place of which are zeros. */
    HOLE
  }

  private sealed interface Change {
    record Make() implements Change {}

    record Write(long offset, String bytes) implements Change {}

    record Cut(long bytes) implements Change {}

    record Sync() implements Change {}

    record SyncDirectory() implements Change {}

    record Delete() implements Change {}
  }

  private final Runnable watch;
  private final List<Change> changes = new ArrayList<>();
  private final Set<Integer> directories = new HashSet<>();

  /** Has somebody look at the machine before each change. */
  WriteLog(Runnable watch) {
    this.watch = watch;
  }

  private void log(Change change) {
    watch.run();
    changes.add(change);
  }

  int changes() {
    return changes.size();
  }

  @Override
  public int openat(int directory, String path, int flags) {
    if ((flags & Libc.O_CREAT()) != 0) {
      log(new Change.Make());
    }
    int fd = super.openat(directory, path, flags);
    if ((flags & Libc.O_DIRECTORY()) != 0) {
      directories.add(fd);
    }
    return fd;
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    byte[] written =
        MemorySegment.ofAddress(address).reinterpret(bytes).toArray(ValueLayout.JAVA_BYTE);
    log(new Change.Write(offset, new String(written, StandardCharsets.ISO_8859_1)));
    return super.pwrite(fd, address, bytes, offset);
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    log(new Change.Cut(bytes));
    return super.ftruncate(fd, bytes);
  }

  @Override
  public int fsync(int fd) {
    log(directories.contains(fd) ? new Change.SyncDirectory() : new Change.Sync());
    return super.fsync(fd);
  }

  @Override
  public int unlinkat(int directory, String name) {
    log(new Change.Delete());
    return super.unlinkat(directory, name);
  }

  /** What is in the file after a crash that follows so many changes; empty if there is no file. */
  Optional<byte[]> after(int count, Rest rest) {
    List<Change> done = changes.subList(0, count);
    int synced = last(done, Change.Sync.class);
    Content content = new Content();
    boolean isHole = rest == Rest.HOLE;
    int lastWrite = last(done, Change.Write.class);
    for (int i = 0; i < done.size(); i++) {
      boolean isSure = i < synced;
      if (!isSure && rest == Rest.LOST) {
        break;
      }
      switch (done.get(i)) {
        case Change.Write(long offset, String text) -> {
          byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
          byte[] written = bytes;
          if (!isSure && isHole) {
            written = new byte[bytes.length];
            isHole = false;
          } else if (!isSure && rest == Rest.TORN && i + 1 == lastWrite) {
            written = Arrays.copyOf(bytes, bytes.length / 2);
          }
          content.put(Math.toIntExact(offset), written);
        }
        case Change.Cut(long bytes) -> content.cut(Math.toIntExact(bytes));
        default -> {}
      }
    }
    return exists(done, rest) ? Optional.of(content.bytes()) : Optional.empty();
  }

  private static boolean exists(List<Change> done, Rest rest) {
    boolean isNamed =
        rest == Rest.LOST
            ? last(done, Change.SyncDirectory.class) > 0
            : last(done, Change.Make.class) > 0;
    return isNamed && (rest == Rest.LOST || last(done, Change.Delete.class) == 0);
  }

  /** How many changes there are up to the last of a kind; 0 if there is none. */
  private static int last(List<Change> done, Class<? extends Change> kind) {
    int count = done.size();
    while (count > 0 && !kind.isInstance(done.get(count - 1))) {
      count--;
    }
    return count;
  }

  /** A file's content, with room for what is appended next. */
  private static final class Content {
    private byte[] room = new byte[1 << 10];
    private int length;

    void put(int offset, byte[] bytes) {
      int end = offset + bytes.length;
      if (end > room.length) {
        room = Arrays.copyOf(room, 2 * end);
      }
      System.arraycopy(bytes, 0, room, offset, bytes.length);
      length = Math.max(length, end);
    }

    void cut(int bytes) {
      room = Arrays.copyOf(room, bytes);
      length = bytes;
    }

    byte[] bytes() {
      return Arrays.copyOf(room, length);
    }
  }
}
