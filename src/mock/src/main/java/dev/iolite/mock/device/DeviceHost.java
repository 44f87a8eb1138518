package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;

/** What a device can do by itself: DMA and interrupts. To be used under the model's lock. */
public interface DeviceHost {
  /**
   * A DMA read, through the IOMMU.
   *
   * @param address as the device has it, an IOVA
   * @throws dev.iolite.mock.core.Memory.Unreachable bus mastering is off, or the IOMMU faults
   */
  void read(long address, MemorySegment into);

  /** A DMA write; as {@link #read}. */
  void write(long address, MemorySegment from);

  /**
   * Does something when the access of the device's registers that goes on now has ended, as a
   * device does that works by itself: its DMA may then lead to its own registers. What such work
   * asks to be done later in turn is not done: a device whose DMA starts its DMA would never end.
   */
  void later(Runnable work);

  /** Whether MSI or MSI-X is on, so that {@link #send} is the way to interrupt. */
  boolean messagesEnabled();

  /** Sends an interrupt message; it is lost while messages or bus mastering are off. */
  void send(int vector);

  /** Pulls the interrupt line, or lets it go. */
  void setLine(boolean asserted);

  /** The memory behind a BAR, for a device whose registers are partly that. */
  SparseMemory memory(int bar);
}
