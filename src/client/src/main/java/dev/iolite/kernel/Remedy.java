package dev.iolite.kernel;

/**
 * What to look at or to do about an error, as data that a front end turns into one of its commands.
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
  GIVE_BACK_AND_BIND,
  /** Give the VF token. */
  GIVE_TOKEN,
  /** Give no VF token. */
  GIVE_NO_TOKEN,
  /** Name one of several TSMs. */
  NAME_TSM,
  /** Give vfio-pci a device that the host can spare. */
  GIVE_SPARE_TO_VFIO,
  /** Look at the calls of the checks. */
  TRACE_CHECKS,
  /** Run a guest and see what it says. */
  RUN_GUEST,
  /** Use a machine that is made for it. */
  USE_LAB,
  /** Use a model of a confidential platform. */
  USE_MODEL,
  /** Start a host of the model that listens on the socket that is the subject. */
  SERVE_MODEL,
  /** Choose a type of VM that protects its guest. */
  PROTECT_GUEST,
  /** Choose the profile that is the first subject instead of the one that is the last. */
  CHOOSE_PROFILE,
  /** Give the certificates between the trusted one and the device's. */
  GIVE_CHAIN,
  /** Look at the assignment of the function. */
  SHOW_ASSIGNMENT,
  /** End the assignment of the function. */
  END_ASSIGNMENT,
  /** Keep journals and sockets in another directory. */
  OTHER_RUN_DIRECTORY,
  /** Release what a process has left of the function's assignment. */
  RECOVER,
  /** The same, on the kernel that is the first subject, for the function that is the last. */
  RECOVER_ELSEWHERE,
  /** Read in the kernel's log why it did not unbind the function, and then release it. */
  RECOVER_BOUND
}
