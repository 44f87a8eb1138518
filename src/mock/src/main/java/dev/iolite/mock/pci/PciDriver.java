package dev.iolite.mock.pci;

/** A driver of the PCI bus (struct pci_driver). */
public interface PciDriver {
  /** Its name in {@code /sys/bus/pci/drivers}. */
  String name();

  /** Whether its table of ids names the device, without driver_override. */
  boolean matches(PciDev device);

  /** Whether its table of ids names such a device, without driver_override. */
  boolean hasId(int vendor, int device);

  /** Whether the driver manages the device's DMA itself (driver_managed_dma). */
  boolean isDmaManaged();

  /** Whether it makes VFs of its devices now (sriov_configure). */
  boolean configuresVirtualFunctions();

  /** Whether only it gets the VFs of a device that it has, unless somebody says otherwise. */
  default boolean capturesVirtualFunctions() {
    return false;
  }

  /**
   * Takes over the device.
   *
   * @throws dev.iolite.mock.core.Refused if it does not want it
   */
  void probe(PciDev device);

  /** Wakes the device, if the driver lets it sleep (runtime_resume). */
  default void resume(PciDev device) {}

  /**
   * Releases the device: from now on it gets no new users.
   *
   * @param released to be called once, when the last user is gone; at once if there is none
   */
  void remove(PciDev device, Runnable released);
}
