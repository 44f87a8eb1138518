package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What drivers have written to the kernel's log, and {@code /dev/kmsg}, which shows it. */
public final class KernelMessages {
  /** LOGLEVEL_WARNING, as in dev_warn, with the kernel's facility. */
  private static final int LEVEL = 4;

  /** drivers/char/mem.c. */
  private static final int MEMORY_DEVICES = 1;

  private static final int KMSG = 11;

  private final Task task;
  private final List<String> records = new ArrayList<>();
  private final long start = System.nanoTime();

  private KernelMessages(Task task) {
    this.task = task;
  }

  /** Makes an empty log, and its file. */
  public static KernelMessages install(Task task, Tree tree) {
    KernelMessages messages = new KernelMessages(task);
    tree.add("/dev/kmsg", new Node.Device(() -> new Reader(messages), MEMORY_DEVICES, KMSG));
    return messages;
  }

  /** Writes a line, as a driver does; called under the kernel's lock. */
  public void add(String line) {
    records.add(
        "%d,%d,%d,-;%s\n"
            .formatted(LEVEL, records.size(), (System.nanoTime() - start) / 1000, line));
    task.wake();
  }

  /** The open file (kernel/printk/printk.c); each has its own position in the log. */
  private static final class Reader extends OpenFile {
    private final KernelMessages messages;
    private int next;

    Reader(KernelMessages messages) {
      super(messages.task);
      this.messages = messages;
    }

    @Override
    public String name() {
      return "/dev/kmsg";
    }

    private boolean hasMore() {
      return next < messages.records.size();
    }

    /** devkmsg_read: one record for each call. The model's log never overwrites one (EPIPE). */
    @Override
    public long read(long address, long bytes) {
      if (!hasMore()) {
        refuseIf(isNonBlocking(), Errno.EAGAIN);
        task().await(this::hasMore);
      }
      byte[] record = messages.records.get(next++).getBytes(StandardCharsets.UTF_8);
      refuseIf(record.length > bytes, Errno.EINVAL);
      task().out(address, MemorySegment.ofArray(record));
      return record.length;
    }

    /** devkmsg_llseek. */
    @Override
    public long lseek(long offset, int whence) {
      refuseIf(offset != 0, Errno.ESPIPE);
      if (whence == Libc.SEEK_SET() || whence == Libc.SEEK_DATA()) {
        next = 0;
      } else if (whence == Libc.SEEK_END()) {
        next = messages.records.size();
      } else {
        throw refused(Errno.EINVAL);
      }
      return 0;
    }

    /** devkmsg_poll. */
    @Override
    public int poll() {
      return hasMore() ? Libc.POLLIN() | Libc.POLLRDNORM() : 0;
    }
  }
}
