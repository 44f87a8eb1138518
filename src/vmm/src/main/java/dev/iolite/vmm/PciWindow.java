package dev.iolite.vmm;

import dev.iolite.kernel.PreconditionException;

/**
 * The addresses that the PCI host bridge passes on, and the places of BARs in them before the guest
 * moves any. A BAR is at a multiple of its size.
 */
final class PciWindow {
  /** The I/O ports of BARs. */
  static final int FIRST_PORT = 0x1000;

  /** The last of them. */
  static final int LAST_PORT = 0xffff;

  /** A BAR of more bytes goes above RAM, if its addresses have 64 bits. */
  private static final long LARGEST_LOW = 1L << 28;

  /** More than any device has; less than what page tables of four levels reach. */
  private static final int MOST_ADDRESS_BITS = 46;

  private final long first64;
  private final long last64;
  private long nextPort = FIRST_PORT;
  private long next32 = MemoryMap.PCI_HOLE;
  private long next64;

  /**
   * Chooses the windows.
   *
   * @param ramEnd where RAM above 4 GiB ends
   * @param addressBits how many bits the guest's physical addresses have
   * @throws PreconditionException if RAM is beyond them
   */
  PciWindow(long ramEnd, int addressBits) {
    last64 = (1L << Math.min(addressBits, MOST_ADDRESS_BITS)) - 1;
    if (ramEnd - 1 > last64) {
      throw new PreconditionException(
          "give the guest RAM up to 0x%x".formatted(ramEnd),
          "its physical addresses end at 0x%x".formatted(last64),
          "the processor has no more address lines",
          "give the guest less memory");
    }
    first64 = aligned(ramEnd, MemoryMap.FOUR_GIB);
    next64 = first64;
  }

  long first32() {
    return MemoryMap.PCI_HOLE;
  }

  long last32() {
    return MemoryMap.PCI_HOLE_END - 1;
  }

  long first64() {
    return first64;
  }

  long last64() {
    return last64;
  }

  /** Whether all of a range of addresses is in one of the windows of memory. */
  boolean contains(long start, long bytes) {
    return inside(start, bytes, first32(), last32()) || inside(start, bytes, first64, last64);
  }

  private static boolean inside(long start, long bytes, long first, long last) {
    return start >= first && start <= last && bytes - 1 <= last - start;
  }

  /** A place for a BAR. */
  long place(long bytes, boolean isPorts, boolean is64Bit) {
    long start;
    long last;
    if (isPorts) {
      start = aligned(nextPort, bytes);
      last = LAST_PORT;
      nextPort = start + bytes;
    } else if (is64Bit && bytes > LARGEST_LOW) {
      start = aligned(next64, bytes);
      last = last64;
      next64 = start + bytes;
    } else {
      start = aligned(next32, bytes);
      last = last32();
      next32 = start + bytes;
    }
    if (start + bytes - 1 > last) {
      throw new PreconditionException(
          "give a BAR of 0x%x bytes an address".formatted(bytes),
          "the window of PCI is full",
          "too many devices, or too large ones",
          "give the guest fewer devices");
    }
    return start;
  }

  private static long aligned(long address, long to) {
    return (address + to - 1) / to * to;
  }
}
