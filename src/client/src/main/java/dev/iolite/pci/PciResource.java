package dev.iolite.pci;

import java.util.Optional;

/**
 * A range of addresses at which a function answers: a line of its {@code resource} file.
 *
 * @param index 0 to 5 for a BAR, 6 for the expansion ROM
 * @param start the first address, as the processor sees it
 * @param bytes its length
 * @param flags IORESOURCE_* bits
 */
public record PciResource(int index, long start, long bytes, long flags) {
  private static final int ROM = 6;
  private static final long IO = 0x100;
  private static final long MEMORY = 0x200;
  private static final long PREFETCHABLE = 0x2000;
  private static final long MEMORY_64 = 0x10_0000;
  private static final long UNSET = 0x2000_0000;

  /** Why a BAR may have found no room. */
  public static final String WHY_UNASSIGNED =
      "the firmware left no room for it, as for a large BAR below 4 GiB";

  /** How to find room for a BAR. */
  public static final String ASSIGN =
      "switch on Above 4G Decoding in the firmware, or boot with pci=realloc";

  /** Reads a line of the file, which has three numbers; empty if it describes nothing. */
  static Optional<PciResource> parse(int index, String line) {
    String[] words = line.split(" ", -1);
    if (words.length != 3) {
      throw new IllegalArgumentException("not three numbers");
    }
    long start = number(words[0]);
    long end = number(words[1]);
    long flags = number(words[2]);
    if (flags == 0 || Long.compareUnsigned(end, start) < 0) {
      return Optional.empty();
    }
    if (end - start == -1) {
      throw new IllegalArgumentException("all addresses that there are");
    }
    return Optional.of(new PciResource(index, start, end - start + 1, flags));
  }

  /** Reads a hexadecimal number of 64 bits, unsigned, with the prefix 0x. */
  private static long number(String text) {
    if (!text.startsWith("0x")) {
      throw new IllegalArgumentException("no hexadecimal number");
    }
    return Long.parseUnsignedLong(text.substring(2), 16);
  }

  /** Whether it is a BAR, and not the ROM. */
  boolean isBar() {
    return index != ROM;
  }

  /** {@code BAR0} to {@code BAR5}, or {@code ROM}. */
  public String name() {
    return index == ROM ? "ROM" : "BAR" + index;
  }

  /**
   * Whether it has an address. The kernel found no room for one that has none (IORESOURCE_UNSET);
   * its {@code start} means nothing, and the function can't be enabled
   * (drivers/pci/setup-res.c:pci_enable_resources).
   */
  public boolean isAssigned() {
    return (flags & UNSET) == 0;
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
