package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;

/**
 * What a page table entry or a memory slot can lead to: memory, or a device's registers. It is kept
 * alive by the objects that refer to it, not by the descriptors and mappings that it came from.
 */
public interface Memory {
  /**
   * Reads it as a device or a guest does.
   *
   * @param offset in bytes from its start
   * @throws Unreachable if nothing answers there
   */
  void read(long offset, MemorySegment into);

  /**
   * Writes it as a device or a guest does.
   *
   * @param offset in bytes from its start
   * @throws Unreachable if nothing answers there
   */
  void write(long offset, MemorySegment from);

  /** Nothing answers at an address: the device is gone or off, or the memory has been freed. */
  final class Unreachable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Says what does not answer. */
    public Unreachable(String message) {
      super(message, null, false, false);
    }
  }
}
