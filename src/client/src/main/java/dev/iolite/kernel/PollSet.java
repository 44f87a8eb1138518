package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One wait for many descriptors, by poll(2): the eventfds of all interrupts of a device, its queues
 * of faults and events. It needs no thread for each of them, and allocates nothing while it waits.
 *
 * <p>For use by one thread at a time.
 */
public final class PollSet implements AutoCloseable {
  /** What poll(2) reports whether it was asked for or not. */
  private static final int FAILED = Libc.POLLERR() | Libc.POLLNVAL();

  private final Arena arena = Arena.ofShared();

  /** Held while the kernel has the memory. {@link HeldMemory} would allocate in each wait. */
  private final ReentrantLock waiting = new ReentrantLock();

  private final Kernel kernel;
  private final List<Fd> fds;
  private final MemorySegment polls;
  private final MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);

  /**
   * A wait for these descriptors, which stay the caller's.
   *
   * @param fds at least one, of one kernel; a descriptor's index here is its name below
   */
  public PollSet(List<Fd> fds) {
    this.fds = List.copyOf(fds);
    kernel = this.fds.getFirst().kernel();
    polls = pollfd.allocateArray(this.fds.size(), arena);
    for (int i = 0; i < this.fds.size(); i++) {
      MemorySegment poll = pollfd.asSlice(polls, i);
      pollfd.events(poll, (short) Libc.POLLIN());
    }
  }

  /** A wait for these eventfds, which stay the caller's. */
  public static PollSet of(List<EventFd> events) {
    return new PollSet(events.stream().map(EventFd::fd).toList());
  }

  /**
   * Waits until one of them can be read.
   *
   * @param deadline how long to wait at most
   * @return how many can be read; 0 if the deadline passed
   * @throws KernelException what poll(2) said, or that one of the descriptors has failed
   * @throws IllegalStateException if one of the descriptors is closed
   */
  public int await(Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      long left = Math.max(0, end - System.nanoTime());
      int millis = (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
      int ready = poll(millis);
      if (ready < 0 && ready != Errno.EINTR.negated()) {
        throw new KernelException("poll", fds.getFirst().target(), "fds=" + fds.size(), -ready);
      }
      if (ready >= 0) {
        requireNoneFailed(ready);
        return ready;
      }
    }
  }

  private int poll(int millis) {
    waiting.lock();
    try {
      for (int i = 0; i < fds.size(); i++) {
        // Each time: the number of a closed descriptor may be another file's by now.
        polls.set(
            ValueLayout.JAVA_INT, i * pollfd.sizeof() + pollfd.fd$offset(), fds.get(i).number());
      }
      return kernel.poll(polls.address(), fds.size(), millis);
    } finally {
      waiting.unlock();
    }
  }

  private void requireNoneFailed(int ready) {
    for (int i = 0; ready > 0 && i < fds.size(); i++) {
      int events = revents(i);
      if ((events & FAILED) != 0) {
        throw new KernelException(
            "poll",
            fds.get(i).target(),
            "revents=0x" + Integer.toHexString(events),
            -((events & Libc.POLLNVAL()) != 0 ? Errno.EBADF : Errno.EIO).negated());
      }
    }
  }

  /**
   * The next descriptor that could be read when {@link #await} returned.
   *
   * @param from the index where to begin, itself included
   * @return its index; -1 if there is none
   */
  public int next(int from) {
    for (int i = from; i < fds.size(); i++) {
      if (revents(i) != 0) {
        return i;
      }
    }
    return -1;
  }

  /**
   * Takes the count of an eventfd, which is 0 then.
   *
   * @param index an eventfd's
   * @return 0 if another thread was faster
   * @throws KernelException what read(2) said
   */
  public long take(int index) {
    try {
      fds.get(index).readWhole(count);
      return count.get(ValueLayout.JAVA_LONG, 0);
    } catch (KernelException e) {
      if (e.errno() == Errno.EAGAIN) {
        return 0;
      }
      throw e;
    }
  }

  private int revents(int index) {
    return polls.get(ValueLayout.JAVA_SHORT, index * pollfd.sizeof() + pollfd.revents$offset());
  }

  /**
   * Frees the memory; the descriptors stay open.
   *
   * @throws IllegalStateException if a thread waits
   */
  @Override
  public void close() {
    if (!waiting.tryLock()) {
      throw new IllegalStateException("a thread waits for " + fds);
    }
    try {
      if (arena.scope().isAlive()) {
        arena.close();
      }
    } finally {
      waiting.unlock();
    }
  }
}
