package dev.iolite.vfio;

import dev.iolite.pci.PciRegs;

/**
 * The PCI configuration space of a bound device as VFIO shows it: the kernel hides some registers
 * and acts on writes to others (drivers/vfio/pci/vfio_pci_config.c).
 *
 * <p>Not safe for use by several threads: setting a bit takes a read and a write.
 */
public final class ConfigRegion {
  private final Region region;

  ConfigRegion(Region region) {
    this.region = region;
  }

  /** All of it, to be read and written by offset. */
  public Region region() {
    return region;
  }

  /** The vendor id. */
  public int vendor() {
    return Short.toUnsignedInt(region.read16(PciRegs.VENDOR));
  }

  /** The device id. */
  public int device() {
    return Short.toUnsignedInt(region.read16(PciRegs.DEVICE));
  }

  /** The command register, PCI_COMMAND. */
  public int command() {
    return Short.toUnsignedInt(region.read16(PciRegs.COMMAND));
  }

  /** Whether the device answers at its memory BARs. */
  public boolean hasMemoryDecode() {
    return (command() & PciRegs.COMMAND_MEMORY) != 0;
  }

  /**
   * Lets the device answer at its memory BARs, or not. Switching it off takes the pages of mapped
   * BARs away and revokes the device's dma-bufs; switching it on brings both back, but not what was
   * mapped from a dma-buf. See drivers/vfio/pci/vfio_pci_config.c:vfio_basic_config_write.
   */
  public void setMemoryDecode(boolean on) {
    set(PciRegs.COMMAND_MEMORY, on);
  }

  /** Whether the device may start DMA and send interrupt messages. */
  public boolean hasBusMaster() {
    return (command() & PciRegs.COMMAND_MASTER) != 0;
  }

  /** Lets the device start DMA and send interrupt messages, or not. */
  public void setBusMaster(boolean on) {
    set(PciRegs.COMMAND_MASTER, on);
  }

  private void set(int bit, boolean on) {
    int command = command();
    region.write16(PciRegs.COMMAND, (short) (on ? command | bit : command & ~bit));
  }
}
