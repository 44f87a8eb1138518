package dev.iolite.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_ring;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The ring of a VM's coalesced writes ({@link CoalescedIo}). All vCPUs of a VM have the same ring,
 * so one thread at a time reads it, through any of them. Made by {@link Vcpu#coalescedRing}.
 *
 * <p>Not safe for use by several threads.
 */
public final class CoalescedRing {
  private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();
  private static final long HEAD_BYTES = kvm_coalesced_mmio_ring.sizeof();
  private static final long ENTRY_BYTES = kvm_coalesced_mmio.sizeof();
  private static final int ENTRIES = (int) ((Page.BYTES - HEAD_BYTES) / ENTRY_BYTES);

  private final MemorySegment ring;

  CoalescedRing(MemorySegment ring) {
    this.ring = ring;
  }

  /** Receives the guest's writes. */
  @FunctionalInterface
  public interface Writes {
    /**
     * Takes a write.
     *
     * @param isPort whether it is to a port, not to memory
     * @param address the port, or the guest-physical address
     * @param bytes how many bytes, 1 to 8
     * @param value what was written, with zeros above
     */
    void written(boolean isPort, long address, int bytes, long value);
  }

  /**
   * Takes all writes out of the ring, in the guest's order. It allocates nothing.
   *
   * @return how many there were
   */
  public int drain(Writes writes) {
    int count = 0;
    int first = ring.get(ValueLayout.JAVA_INT, kvm_coalesced_mmio_ring.first$offset());
    while (first != (int) INDEX.getAcquire(ring, kvm_coalesced_mmio_ring.last$offset())) {
      long at = HEAD_BYTES + first * ENTRY_BYTES;
      int bytes = ring.get(ValueLayout.JAVA_INT, at + kvm_coalesced_mmio.len$offset());
      long data = ring.get(ValueLayout.JAVA_LONG, at + kvm_coalesced_mmio.data$offset());
      writes.written(
          ring.get(ValueLayout.JAVA_INT, at + kvm_coalesced_mmio.pio$offset()) != 0,
          ring.get(ValueLayout.JAVA_LONG, at + kvm_coalesced_mmio.phys_addr$offset()),
          bytes,
          bytes == Long.BYTES ? data : data & ((1L << (bytes * Byte.SIZE)) - 1));
      first = (first + 1) % ENTRIES;
      INDEX.setRelease(ring, kvm_coalesced_mmio_ring.first$offset(), first);
      count++;
    }
    return count;
  }
}
