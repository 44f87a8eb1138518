package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;

/**
 * What a device can do on its own initiative: DMA and interrupts. To be used under the model's
 * lock.
 */
public interface DeviceHost {
  /**
   * Makes a DMA read, through the IOMMU.
   *
   * @param address the address that the device uses, an IOVA
   * @throws dev.iolite.mock.core.Memory.Unreachable bus mastering is off, or the IOMMU faults
   */
  void read(long address, MemorySegment into);

  /** Makes a DMA write; the same holds as for {@link #read}. */
  void write(long address, MemorySegment from);

  /**
   * Runs work after the current access to the device's registers, as in a device that works by
   * itself: its DMA may then reach its own registers. Work that such work schedules is dropped: a
   * device whose DMA starts its DMA would never finish.
   */
  void later(Runnable work);

  /** Whether MSI or MSI-X is on, so that interrupts go through {@link #send}. */
  boolean messagesEnabled();

  /** Sends an interrupt message; it is lost while messages or bus mastering are off. */
  void send(int vector);

  /** Asserts or deasserts the interrupt line. */
  void setLine(boolean asserted);

  /** The memory behind a BAR, for a device some of whose registers are plain memory. */
  SparseMemory memory(int bar);
}
