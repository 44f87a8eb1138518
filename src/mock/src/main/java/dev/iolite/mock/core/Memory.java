package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;

/**
 * What a page table entry or a memory slot can lead to: memory, or a device's registers. The
 * objects that refer to it keep it alive, not the descriptors and mappings it came from.
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
