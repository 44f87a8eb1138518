package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel's log from some moment on ({@code /dev/kmsg}): where drivers write the reasons for
 * which an errno has no room. For a user who may not read it, it is empty: who asks for a reason
 * gets none, and whatever the reason was for has failed already, or will not.
 *
 * <p>For use by one thread at a time.
 */
public final class KernelLog implements AutoCloseable {
  /** The longest record, PRINTK_MESSAGE_MAX of kernel/printk/internal.h. */
  private static final int LONGEST = 2048;

  private final Kernel kernel;

  /** A descriptor, or the negated errno for which there is none. */
  private final int file;

  private KernelLog(Kernel kernel, int file) {
    this.kernel = kernel;
    this.file = file;
  }

  /** Starts after what the log has now. */
  public static KernelLog fromNow(Kernel kernel) {
    KernelLog log =
        new KernelLog(kernel, Fd.tryOpen(kernel, "/dev/kmsg", Libc.O_RDONLY() | Libc.O_NONBLOCK()));
    if (log.file < 0) {
      return log;
    }
    long end = kernel.lseek(log.file, 0, Libc.SEEK_END());
    if (end < 0) {
      log.close();
      return new KernelLog(kernel, (int) end);
    }
    return log;
  }

  /**
   * Leaves out what the log has now. If the kernel refuses that, {@link #about} has older messages,
   * too.
   */
  public void skip() {
    if (file >= 0) {
      kernel.lseek(file, 0, Libc.SEEK_END());
    }
  }

  /**
   * Returns the messages since then, or since the last call, that name a device; without levels and
   * times.
   *
   * @param device its name on its bus, such as {@code 0000:00:05.0}
   */
  public List<String> about(String device) {
    List<String> found = new ArrayList<>();
    if (file < 0) {
      return found;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment record = arena.allocate(LONGEST);
      long bytes;
      do {
        bytes = kernel.read(file, record.address(), LONGEST);
        if (bytes > 0) {
          String text = message(record.asSlice(0, bytes));
          if (text.contains(device)) {
            found.add(text);
          }
        }
        // EPIPE: records were overwritten, and the next read returns the oldest that is left.
      } while (bytes > 0 || bytes == Errno.EPIPE.negated());
    }
    return List.copyOf(found);
  }

  /** A record is "level,number,time,flags;message", and more lines with properties. */
  private static String message(MemorySegment record) {
    String text = new String(record.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    int end = text.indexOf('\n');
    return text.substring(text.indexOf(';') + 1, end < 0 ? text.length() : end);
  }

  /** Closes it. close(2) frees the descriptor whatever it says, and nothing was written. */
  @Override
  public void close() {
    if (file >= 0) {
      kernel.close(file);
    }
  }
}
