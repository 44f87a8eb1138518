package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The ring in which KVM records the pages that a vCPU writes. Made by {@link Vcpu#dirtyRing}.
 *
 * <p>The vCPU leaves its guest with the reason {@link ExitReason#DIRTY_RING_FULL} when the ring is
 * almost full. Harvest it then, and call {@link VmDirtyLog#resetRings}.
 *
 * <p>For use by one thread at a time; that need not be the one that runs the vCPU.
 */
public final class DirtyRing implements AutoCloseable {
  /**
   * So many entries are taken together, so that the JVM checks their memory once and not each. With
   * longer batches, the JIT compiler does not always avoid allocating the segment, and harvesting
   * is slower.
   */
  private static final int BATCH = 64;

  private static final long ENTRY_BYTES = kvm_dirty_gfn.sizeof();
  private static final int DIRTY = (int) Kvm.KVM_DIRTY_GFN_F_DIRTY();
  private static final int RESET = (int) Kvm.KVM_DIRTY_GFN_F_RESET();

  private final Mapping mapping;
  private final MemorySegment entries;
  private final long mask;

  /** How many entries of the vCPU's life were harvested: KVM's index runs on, too. */
  private long next;

  private boolean closed;

  private DirtyRing(Mapping mapping, long next) {
    this.mapping = mapping;
    this.next = next;
    entries = mapping.segment();
    mask = mapping.bytes() / ENTRY_BYTES - 1;
  }

  static DirtyRing of(Fd vcpu, int bytes, long harvested) {
    return new DirtyRing(
        Mapping.of(
            vcpu,
            Kvm.KVM_DIRTY_LOG_PAGE_OFFSET() * Page.BYTES,
            bytes,
            Libc.PROT_READ() | Libc.PROT_WRITE()),
        harvested);
  }

  boolean isClosed() {
    return closed;
  }

  long harvested() {
    return next;
  }

  /** Receives the pages that were written. */
  @FunctionalInterface
  public interface Pages {
    /**
     * Takes a page that the guest has written.
     *
     * @param slot the number of its slot; in the upper 16 bits, its address space
     * @param page its index within the slot
     */
    void written(int slot, long page);
  }

  /**
   * Takes all entries out of the ring, the oldest first. No entry costs an allocation, and its room
   * is free again after {@link VmDirtyLog#resetRings}.
   *
   * <p>If {@code pages} throws, the page that it was given is the first of the next harvest.
   *
   * @return how many there were
   */
  public int harvest(Pages pages) {
    int all = 0;
    int count;
    do {
      count = harvestBatch(pages);
      all += count;
    } while (count > 0);
    return all;
  }

  /** Takes the next entries, up to a batch or the end of the ring. */
  private int harvestBatch(Pages pages) {
    int most = (int) Math.min(BATCH, mask + 1 - (next & mask));
    // The JVM sees from the length that each access is within it.
    MemorySegment batch = entries.asSlice((next & mask) * ENTRY_BYTES, most * ENTRY_BYTES);
    int written = 0;
    while (written < most && isWritten(batch, written)) {
      written++;
    }
    // Nothing else of an entry is read before its flags.
    VarHandle.acquireFence();
    int taken = 0;
    try {
      for (; taken < written; taken++) {
        long at = taken * ENTRY_BYTES;
        pages.written(
            batch.get(ValueLayout.JAVA_INT, at + kvm_dirty_gfn.slot$offset()),
            batch.get(ValueLayout.JAVA_LONG, at + kvm_dirty_gfn.offset$offset()));
      }
    } finally {
      // An entry is KVM's again when its flags say so, and not before it was read.
      VarHandle.releaseFence();
      for (int i = 0; i < taken; i++) {
        batch.set(ValueLayout.JAVA_INT, i * ENTRY_BYTES + kvm_dirty_gfn.flags$offset(), RESET);
      }
      next += taken;
    }
    return written;
  }

  private static boolean isWritten(MemorySegment batch, int entry) {
    int flags = batch.get(ValueLayout.JAVA_INT, entry * ENTRY_BYTES + kvm_dirty_gfn.flags$offset());
    return (flags & (DIRTY | RESET)) == DIRTY;
  }

  /**
   * Unmaps the ring. Entries that were not harvested stay in it for the next {@link
   * Vcpu#dirtyRing}.
   *
   * @throws KernelException what munmap(2) said
   */
  @Override
  public void close() {
    mapping.close();
    closed = true;
  }
}
