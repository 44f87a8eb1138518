package dev.iolite.kernel;

/**
 * What to look at or do about an error, as data that a front end turns into a command of its own.
 */
public enum Remedy {
  /** Nothing beyond the words. */
  NONE,
  /** What this host lacks. */
  CHECK_HOST,
  /** Another kernel. */
  OTHER_KERNEL,
  /** Which PCI functions there are. */
  LIST_FUNCTIONS,
  /** The function's driver and IOMMU group. */
  SHOW_FUNCTION,
  /** The device's regions, interrupts, features and resets. */
  SHOW_DEVICE,
  /** The I/O addresses that the device may use. */
  SHOW_IOVAS,
  /** KVM's types of VM, capabilities and limits. */
  SHOW_KVM,
  /** Which TSMs there are, and what is connected to them. */
  LIST_TSMS,
  /** Connect the function to a TSM. */
  CONNECT_TSM,
  /** Disconnect the function from its TSM. */
  DISCONNECT_TSM,
  /** Give the functions to vfio-pci. */
  GIVE_TO_VFIO,
  /** Give the function to the driver that the kernel chooses. */
  GIVE_BACK,
  /** Take the function from vfio-pci, and give it to vfio-pci again. */
  GIVE_BACK_AND_BIND
}
