package dev.iolite.mock.pci;

/** A driver of the PCI bus (struct pci_driver). */
public interface PciDriver {
  /** Its name in {@code /sys/bus/pci/drivers}. */
  String name();

  /** Whether its table of ids names the device, without driver_override. */
  boolean matches(PciDev device);

  /** Whether its table of ids names such a device, without driver_override. */
  boolean hasId(int vendor, int device);

  /** Whether the driver cares for the device's DMA itself (driver_managed_dma). */
  boolean isDmaManaged();

  /** Whether it makes VFs of its devices now (sriov_configure). */
  boolean configuresVirtualFunctions();

  /** Whether the VFs of a device that it has are for it alone, unless somebody says otherwise. */
  default boolean capturesVirtualFunctions() {
    return false;
  }

  /**
   * Takes the device over.
   *
   * @throws dev.iolite.mock.core.Refused if it does not want it
   */
  void probe(PciDev device);

  /**
   * Gives the device back: nobody new can use it from now on.
   *
   * @param released to be called once, when its last user has gone; at once if it has none
   */
  void remove(PciDev device, Runnable released);
}
