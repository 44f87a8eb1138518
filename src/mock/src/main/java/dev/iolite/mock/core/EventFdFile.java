package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** An eventfd (fs/eventfd.c). */
public sealed class EventFdFile extends OpenFile permits CallerEventFd {
  private static final int SEMAPHORE = 1;
  private final boolean semaphore;
  private final boolean nonBlocking;
  private final List<Runnable> listeners = new ArrayList<>();

  /** Unsigned; never 2^64-1. */
  private long count;

  /** Whether its listeners are being notified. */
  private boolean isTelling;

  /** Makes a new eventfd; eventfd(2) has checked the flags (do_eventfd). */
  public EventFdFile(Task task, int initial, int flags) {
    super(task);
    refuseIf((flags & ~(SEMAPHORE | Libc.EFD_CLOEXEC() | Libc.EFD_NONBLOCK())) != 0, Errno.EINVAL);
    count = Integer.toUnsignedLong(initial);
    semaphore = (flags & SEMAPHORE) != 0;
    nonBlocking = (flags & Libc.EFD_NONBLOCK()) != 0;
  }

  @Override
  public final String name() {
    return "anon_inode:[eventfd]";
  }

  /** fs/read_write.c:noop_llseek: the position is 0 and stays there. */
  @Override
  public long lseek(long offset, int whence) {
    return 0;
  }

  /** Adds 1 unless the count is at its maximum, as a driver or device does (eventfd_signal). */
  public void signal() {
    if (count != -2) {
      count++;
    }
    changed();
  }

  /**
   * Notifies a driver, not a reader, of each event; the driver takes the count (virt/kvm/eventfd.c,
   * drivers/vfio/virqfd.c). An event that is already there counts.
   */
  public void listen(Runnable listener) {
    listeners.add(listener);
    if (count != 0) {
      changed();
    }
  }

  /** Ends {@link #listen}. */
  public void ignore(Runnable listener) {
    listeners.remove(listener);
  }

  /**
   * A listener may signal the very eventfd that it listens to (an interrupt that unmasks itself).
   * The kernel's work queue then runs again and again, as long as the cause lasts; all that can be
   * observed is one round, and a count that is always taken.
   */
  private void changed() {
    if (!listeners.isEmpty() && count != 0) {
      count -= semaphore ? 1 : count;
      if (!isTelling) {
        isTelling = true;
        try {
          List.copyOf(listeners).forEach(Runnable::run);
        } finally {
          isTelling = false;
        }
      }
    }
    task().wake();
  }

  /** eventfd_read: EINVAL for a buffer below 8 bytes, EAGAIN if it is empty and may not wait. */
  @Override
  public long read(long address, long bytes) {
    refuseIf(bytes < Long.BYTES, Errno.EINVAL);
    refuseIf(count == 0 && nonBlocking, Errno.EAGAIN);
    task().await(() -> count != 0);
    long taken = semaphore ? 1 : count;
    count -= taken;
    task().wake();
    MemorySegment value = task().scratch(Long.BYTES);
    value.set(ValueLayout.JAVA_LONG, 0, taken);
    task().out(address, value);
    return Long.BYTES;
  }

  /**
   * eventfd_write: EINVAL for fewer than 8 bytes or for 2^64-1; waits, or EAGAIN, if it is full.
   */
  @Override
  public long write(long address, long bytes) {
    refuseIf(bytes != Long.BYTES, Errno.EINVAL);
    long added = task().in(address, Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
    refuseIf(added == -1, Errno.EINVAL);
    if (!hasRoomFor(added)) {
      if (nonBlocking) {
        throw refused(Errno.EAGAIN);
      }
      task().await(() -> hasRoomFor(added));
    }
    count += added;
    changed();
    return Long.BYTES;
  }

  private boolean hasRoomFor(long added) {
    return Long.compareUnsigned(-1 - count, added) > 0;
  }

  /** eventfd_poll. */
  @Override
  public int poll() {
    return (count != 0 ? Libc.POLLIN() : 0) | (hasRoomFor(1) ? Libc.POLLOUT() : 0);
  }
}
