package dev.iolite.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.LongSupplier;

/**
 * Memory that can't be freed while a kernel has its address.
 *
 * <p>An arena that several threads share can be closed by one of them while another is inside a
 * call. The allocator then gives the memory to somebody else, and the kernel writes there. While
 * the memory is held, closing its arena fails with {@link IllegalStateException} instead. A
 * confined arena can be closed only by the thread that is inside the call, so it costs nothing.
 *
 * <p>Safe for use by several threads.
 */
public final class HeldMemory {
  /** A thread that owns no arena: what it may reach, all threads may. */
  private static final Thread ANY = Thread.ofPlatform().unstarted(() -> {});

  private HeldMemory() {}

  /**
   * Makes a call that gives a kernel the memory's address.
   *
   * @param call gets the address by {@link MemorySegment#address}; must not keep it
   * @return what the call returned
   * @throws IllegalArgumentException if the memory is on the Java heap
   * @throws IllegalStateException if it has been freed
   * @throws WrongThreadException if it is confined to another thread
   */
  public static long during(MemorySegment memory, LongSupplier call) {
    require(memory);
    if (isShared(memory)) {
      return HostKernel.holding(memory, call);
    }
    try {
      return call.getAsLong();
    } finally {
      Reference.reachabilityFence(memory);
    }
  }

  /** Refuses memory that a kernel can't be given the address of. */
  static void require(MemorySegment memory) {
    if (!memory.isNative()) {
      throw new IllegalArgumentException("the kernel can't reach memory on the Java heap");
    }
    if (!memory.scope().isAlive()) {
      throw new IllegalStateException("the memory has been freed");
    }
    if (!memory.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException("the memory is confined to another thread");
    }
  }

  /**
   * Whether another thread may be able to free it: not what is confined, and not what is global.
   */
  static boolean isShared(MemorySegment memory) {
    return memory.isAccessibleBy(ANY) && !memory.scope().equals(Arena.global().scope());
  }
}
