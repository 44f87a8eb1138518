package dev.iolite.mock.pci;

import dev.iolite.mock.device.Bar;
import dev.iolite.pci.PciRegs;

/**
 * Addresses at which a function answers, as the kernel knows them (struct resource).
 *
 * @param start the first address; 0 if there is none
 * @param bytes the size; 0 if there is none
 * @param flags IORESOURCE_* bits
 */
public record IoResource(long start, long bytes, long flags) {
  /** No resource. */
  public static final IoResource NONE = new IoResource(0, 0, 0);

  private static final long IO = 0x100;
  private static final long MEMORY = 0x200;
  private static final long PREFETCH = 0x2000;
  private static final long READ_ONLY = 0x4000;
  private static final long SIZE_ALIGN = 0x4_0000;
  private static final long MEMORY_64 = 0x10_0000;
  private static final long UNSET = 0x2000_0000;

  /** The resource of a BAR; the low bits are the register's (drivers/pci/probe.c:decode_bar). */
  static IoResource of(Bar bar, long start) {
    long flags =
        switch (bar.kind()) {
              case PORTS -> IO | PciRegs.BAR_IO;
              case MEMORY_32 -> MEMORY;
              case MEMORY_64 -> MEMORY | MEMORY_64 | PciRegs.BAR_64;
            }
            | (bar.prefetchable() ? PREFETCH | PciRegs.BAR_PREFETCHABLE : 0)
            | SIZE_ALIGN;
    return new IoResource(start, bar.bytes(), flags);
  }

  /**
   * The resource of a BAR for which there was no room (drivers/pci/setup-res.c:pci_claim_resource).
   */
  static IoResource unassigned(Bar bar) {
    return new IoResource(0, bar.bytes(), of(bar, 0).flags | UNSET);
  }

  /** Whether it has an address. */
  boolean isAssigned() {
    return (flags & UNSET) == 0;
  }

  /** The resource of an expansion ROM. */
  static IoResource ofRom(long start, long bytes) {
    return new IoResource(start, bytes, MEMORY | PREFETCH | READ_ONLY | SIZE_ALIGN);
  }

  /** Whether it is memory. */
  public boolean isMemory() {
    return (flags & MEMORY) != 0;
  }

  /** Whether it is I/O ports. */
  public boolean isPorts() {
    return (flags & IO) != 0;
  }

  /** Whether it is prefetchable memory. */
  public boolean isPrefetchable() {
    return (flags & PREFETCH) != 0;
  }

  /** Whether it is memory that may lie above 4 GiB. */
  public boolean is64Bit() {
    return (flags & MEMORY_64) != 0;
  }

  /** Whether there is a resource. */
  public boolean isPresent() {
    return bytes != 0;
  }

  /** Its line in the {@code resource} file. */
  String line() {
    return "0x%016x 0x%016x 0x%016x".formatted(start, isPresent() ? start + bytes - 1 : 0, flags);
  }
}
