package dev.iolite.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.LongSupplier;

/**
 * Memory that cannot be freed while a kernel has its address.
 *
 * <p>An arena that several threads share can be closed by one of them while another is inside a
 * call. The allocator may then reuse the memory, and the kernel would overwrite it. While the
 * memory is held, closing its arena fails with {@link IllegalStateException} instead. A confined
 * arena can be closed only by the thread that is inside the call, so holding its memory costs
 * nothing.
 *
 * <p>Safe for use by several threads.
 */
public final class HeldMemory {
  /** A thread that owns no arena: memory that it may access, every thread may. */
  private static final Thread ANY = Thread.ofPlatform().unstarted(() -> {});

  private HeldMemory() {}

  /**
   * Makes a call that passes the memory's address to a kernel.
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

  /** Refuses memory whose address cannot be passed to a kernel. */
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
   * Whether another thread may be able to free it; it cannot if the memory is confined or global.
   */
  static boolean isShared(MemorySegment memory) {
    return memory.isAccessibleBy(ANY) && !memory.scope().equals(Arena.global().scope());
  }
}
