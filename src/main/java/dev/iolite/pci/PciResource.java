package dev.iolite.pci;

/**
 * A range of addresses that a function answers at, a line of its {@code resource} file.
 *
 * @param index 0 to 5 for a BAR, 6 for the expansion ROM
 * @param start the first address, as the processor sees it
 * @param bytes how many
 * @param flags IORESOURCE_* bits
 */
public record PciResource(int index, long start, long bytes, long flags) {
  private static final int ROM = 6;
  private static final long IO = 0x100;
  private static final long MEMORY = 0x200;
  private static final long PREFETCHABLE = 0x2000;
  private static final long MEMORY_64 = 0x10_0000;

  /** {@code BAR0} to {@code BAR5}, or {@code ROM}. */
  public String name() {
    return index == ROM ? "ROM" : "BAR" + index;
  }

  /** Whether it is memory (IORESOURCE_MEM). */
  public boolean isMemory() {
    return (flags & MEMORY) != 0;
  }

  /** Whether it is I/O ports (IORESOURCE_IO). */
  public boolean isIo() {
    return (flags & IO) != 0;
  }

  /** Whether reading it has no effect (IORESOURCE_PREFETCH). */
  public boolean isPrefetchable() {
    return (flags & PREFETCHABLE) != 0;
  }

  /** Whether it may lie above 4 GiB (IORESOURCE_MEM_64). */
  public boolean is64Bit() {
    return (flags & MEMORY_64) != 0;
  }
}
