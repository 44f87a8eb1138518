package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
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
  /** One that is read; a line feed is added to the text. */
  public static Attribute readable(Supplier<String> text) {
    return new Attribute(Optional.of(bytes(text)), Optional.empty());
  }

  /** One that is read as it is. */
  public static Attribute raw(Supplier<byte[]> content) {
    return new Attribute(Optional.of(content), Optional.empty());
  }

  /** One that is written; the text comes without the white space at its end. */
  public static Attribute writable(Consumer<String> store) {
    return new Attribute(Optional.empty(), Optional.of(store));
  }

  /** One that is read and written. */
  public static Attribute of(Supplier<String> text, Consumer<String> store) {
    return new Attribute(Optional.of(bytes(text)), Optional.of(store));
  }

  private static Supplier<byte[]> bytes(Supplier<String> text) {
    return () -> (text.get() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** An open attribute; it is read as of when it was first read (fs/kernfs/file.c). */
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

      // seq_open takes pwrite(2) from every file, and kernfs_fop_open gives it back to writers.
      @Override
      public void requireWritableAt() {
        refuseIf(!isWritable(), Errno.ESPIPE);
      }

      @Override
      public long lseek(long offset, int whence) {
        refuseIf(whence != 0 || offset < 0, Errno.EINVAL);
        return moveTo(offset);
      }
    };
  }
}
