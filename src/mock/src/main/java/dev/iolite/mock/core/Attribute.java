package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A small file of procfs or sysfs: what reading it returns and what writing it does.
 *
 * @param show its content, made when it is read from the start; empty if it can't be read
 * @param store takes what one call wrote; empty if it can't be written
 */
public record Attribute(Optional<Supplier<byte[]>> show, Optional<Consumer<String>> store) {
  /** An attribute that can be read; a line feed is added to the text. */
  public static Attribute readable(Supplier<String> text) {
    return new Attribute(Optional.of(bytes(text)), Optional.empty());
  }

  /** An attribute whose content is read unchanged. */
  public static Attribute raw(Supplier<byte[]> content) {
    return new Attribute(Optional.of(content), Optional.empty());
  }

  /** An attribute that can be written; the text comes without its trailing white space. */
  public static Attribute writable(Consumer<String> store) {
    return new Attribute(Optional.empty(), Optional.of(store));
  }

  /** An attribute that can be read and written. */
  public static Attribute of(Supplier<String> text, Consumer<String> store) {
    return new Attribute(Optional.of(bytes(text)), Optional.of(store));
  }

  private static Supplier<byte[]> bytes(Supplier<String> text) {
    return () -> (text.get() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Opens the attribute; later reads return the content as of the first read (fs/kernfs/file.c).
   */
  OpenFile open(Task task, String path) {
    return new PositionedFile(task) {
      private Optional<byte[]> content = Optional.empty();

      @Override
      public String name() {
        return path;
      }

      @Override
      public long pread(long address, long bytes, long offset) {
        byte[] shown =
            content
                .filter(_ -> offset > 0)
                .orElseGet(() -> show.orElseThrow(() -> refused(Errno.EIO)).get());
        content = Optional.of(shown);
        int count = (int) Math.min(bytes, Math.max(0, shown.length - offset));
        if (count > 0) {
          task.out(address, MemorySegment.ofArray(shown).asSlice(offset, count));
        }
        return count;
      }

      @Override
      public long pwrite(long address, long bytes, long offset) {
        if (bytes == 0) {
          // fs/sysfs/file.c:sysfs_kf_write
          return 0;
        }
        long taken = Math.min(bytes, Page.BYTES);
        byte[] written = task.in(address, taken).toArray(ValueLayout.JAVA_BYTE);
        store
            .orElseThrow(() -> refused(Errno.EIO))
            .accept(new String(written, StandardCharsets.UTF_8).stripTrailing());
        return taken;
      }

      // seq_open denies pwrite(2) on every file, and kernfs_fop_open allows it again for writers.
      @Override
      public void requireWritableAt() {
        refuseIf(!isWritable(), Errno.ESPIPE);
      }

      // fs/kernfs/file.c:kernfs_fop_llseek, of a page; of procfs, fs/seq_file.c:seq_lseek, which
      // knows no end.
      @Override
      public long lseek(long offset, int whence) {
        boolean hasEnd = path.startsWith("/sys/");
        refuseIf(!hasEnd && whence > Libc.SEEK_CUR(), Errno.EINVAL);
        return moveWithin(Page.BYTES, offset, whence);
      }
    };
  }
}
