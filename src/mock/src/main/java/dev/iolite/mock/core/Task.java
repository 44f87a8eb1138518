package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The process that makes the calls: its memory, its descriptors, and its threads that wait.
 *
 * <p>The model has one lock. It is held during every call and released only by {@link #await}, so
 * state that was read before an await may have changed after it.
 */
public final class Task {
  private static final long SCRATCH_BYTES = 64 << 10;
  private static final long YIELD_NANOS = 50_000;

  private final HostKernel host;
  private final UserMemory user;
  private final AddressSpace memory;
  private final Descriptors descriptors;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** The threads that gave up the lock inside a call. */
  private final Set<Thread> parked = new HashSet<>();

  /** Those of them that a signal has reached since. */
  private final Set<Thread> interrupted = new HashSet<>();

  /** The threads that no signal reaches until they let it. */
  private final Set<Thread> blocking = new HashSet<>();

  /** The caller's own files that the current call has named. */
  private final List<OpenFile> borrowed = new ArrayList<>();

  private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES, Long.BYTES);
  private long scratchUsed;

  /**
   * Makes a process without descriptors.
   *
   * @param host provides real memory for what is mapped
   * @param user how the process's memory is reached
   */
  public Task(HostKernel host, UserMemory user) {
    this(host, user, Mapper.here(host));
  }

  /**
   * Makes the same as {@link #Task(HostKernel, UserMemory)}, perhaps for another process.
   *
   * @param mapper how memory is mapped in the process
   */
  public Task(HostKernel host, UserMemory user, Mapper mapper) {
    this(host, user, mapper, CallerFiles.none());
  }

  /**
   * Makes the same as {@link #Task(HostKernel, UserMemory, Mapper)}, for a caller with its own
   * files.
   *
   * @param files the caller's own descriptors
   */
  public Task(HostKernel host, UserMemory user, Mapper mapper, CallerFiles files) {
    descriptors = new Descriptors(this, files);
    this.host = host;
    this.user = user;
    memory = new AddressSpace(host, user, mapper);
  }

  /** The process's mappings. */
  public AddressSpace memory() {
    return memory;
  }

  /** The process's descriptors. */
  public Descriptors descriptors() {
    return descriptors;
  }

  /** The process's memory, by address. */
  public UserMemory user() {
    return user;
  }

  /**
   * What the process has open and mapped, one a line, such as {@code IOAS 2 of descriptor 3
   * (/dev/iommu)}.
   */
  public List<String> held() {
    List<String> held = new ArrayList<>();
    Set<OpenFile> seen = new HashSet<>();
    for (int fd : descriptors.numbers()) {
      OpenFile file = descriptors.getRaw(fd);
      String descriptor = "descriptor %d (%s)".formatted(fd, file.name());
      held.add(descriptor);
      if (seen.add(file)) {
        file.held().forEach(object -> held.add(object + " of " + descriptor));
      }
    }
    held.addAll(memory.held());
    return held;
  }

  /** Makes zeroed memory that can be mapped; the caller holds the first reference. */
  public Ram newRam(long bytes) {
    return Ram.create(host, bytes);
  }

  /** The same for a file that can be sealed; it is empty. */
  Ram newSealableRam() {
    return Ram.sealable(host);
  }

  /**
   * Makes memory of a device that the caller can map by a file of this name; it is hidden.
   *
   * @param start where it begins in the file, in bytes
   */
  public MappableMemory newMappable(String name, long start, long bytes) {
    return MappableMemory.create(host, name, start, bytes);
  }

  /** Ends the process (kernel/exit.c:do_exit): its memory goes first, then its descriptors. */
  public void exit() {
    memory.unmapAll();
    for (int fd : descriptors.numbers()) {
      descriptors.close(fd);
    }
  }

  /** Takes the lock at the start of a call. */
  public void enter() {
    lock.lock();
    if (lock.getHoldCount() == 1) {
      scratchUsed = 0;
    }
  }

  /** Keeps a file that is not the model's until the call ends. */
  OpenFile borrow(OpenFile file) {
    borrowed.add(file);
    return file;
  }

  /** Releases the lock at the end of a call. */
  public void leave() {
    if (lock.getHoldCount() == 1 && !borrowed.isEmpty()) {
      List<OpenFile> files = List.copyOf(borrowed);
      borrowed.clear();
      files.forEach(OpenFile::put);
    }
    if (lock.getHoldCount() == 1 && !interrupted.isEmpty()) {
      interrupted.remove(Thread.currentThread());
    }
    lock.unlock();
  }

  /** Does something from outside the kernel; what it changes wakes those who wait for it. */
  public <T> T locked(Supplier<T> body) {
    enter();
    try {
      T result = body.get();
      wake();
      return result;
    } finally {
      leave();
    }
  }

  /**
   * Zeroed memory for the rest of the call, or until it waits; the next call reuses it.
   *
   * @param bytes at least 0
   */
  public MemorySegment scratch(long bytes) {
    long start = (scratchUsed + Long.BYTES - 1) & -Long.BYTES;
    if (bytes > SCRATCH_BYTES - start) {
      return Arena.ofAuto().allocate(bytes, Long.BYTES);
    }
    scratchUsed = start + bytes;
    return scratch.asSlice(start, bytes).fill((byte) 0);
  }

  /**
   * Copies a struct from the caller into {@link #scratch}.
   *
   * @throws Refused EFAULT
   */
  public MemorySegment in(long address, long bytes) {
    MemorySegment struct = scratch(bytes);
    user.read(address, struct);
    return struct;
  }

  /**
   * Copies a struct to the caller.
   *
   * @throws Refused EFAULT
   */
  public void out(long address, MemorySegment struct) {
    user.write(address, struct);
  }

  /** Called when something has changed that a call may be waiting for. */
  public void wake() {
    changed.signalAll();
  }

  /**
   * Waits, without the lock, until the condition holds; a call of {@link #wake} makes it check
   * again.
   *
   * @throws Refused EINTR if the thread was interrupted by {@link #interrupt} first
   */
  public void await(BooleanSupplier condition) {
    awaitUntil(condition, Long.MAX_VALUE);
  }

  /**
   * Waits as {@link #await} does, but no signal ends the wait (wait_for_completion).
   *
   * @throws Refused EINTR only if the program itself has interrupted its thread
   */
  public void awaitUninterrupted(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      try {
        await(condition);
      } catch (Refused e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
      }
    }
  }

  /**
   * Waits as {@link #await} does, until a deadline at the latest.
   *
   * @param deadlineNanos in System.nanoTime's terms; Long.MAX_VALUE waits forever
   * @return whether the condition holds
   */
  public boolean awaitUntil(BooleanSupplier condition, long deadlineNanos) {
    parked.add(Thread.currentThread());
    try {
      while (!condition.getAsBoolean()) {
        if (takeInterrupt()) {
          throw refused(Errno.EINTR);
        }
        long left = deadlineNanos == Long.MAX_VALUE ? 0 : deadlineNanos - System.nanoTime();
        if (deadlineNanos == Long.MAX_VALUE) {
          changed.await();
        } else if (left <= 0) {
          return false;
        } else {
          changed.await(left, TimeUnit.NANOSECONDS);
        }
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refused(Errno.EINTR);
    } finally {
      parked.remove(Thread.currentThread());
      scratchUsed = 0;
    }
  }

  /**
   * Lets other threads' calls proceed, in a call that runs for a long time (a guest).
   *
   * @throws Refused EINTR if the thread was interrupted by {@link #interrupt}
   */
  public void yieldLock() {
    if (lock.hasQueuedThreads()) {
      // Long enough to be a wait: one whose time is already over does not give up the lock.
      awaitUntil(() -> false, System.nanoTime() + YIELD_NANOS);
    }
  }

  /** Sends a thread a signal; it notices only inside a call. */
  public void interrupt(Thread thread) {
    if (parked.contains(thread)) {
      interrupted.add(thread);
      wake();
    }
  }

  /** Blocks the signal of {@link #interrupt} for the calling thread, or lets it through again. */
  public void block(boolean on) {
    if (on) {
      blocking.add(Thread.currentThread());
    } else {
      blocking.remove(Thread.currentThread());
    }
  }

  /** Whether a signal has reached the calling thread in this call; clears that state. */
  public boolean takeInterrupt() {
    Thread thread = Thread.currentThread();
    return !blocking.contains(thread) && interrupted.remove(thread);
  }
}
