package dev.iolite.vmm;

/** How a guest ended. */
public enum Outcome {
  /** It switched the machine off. */
  POWER_OFF,
  /** It reset the machine: a reboot. */
  RESET,
  /** Its kernel panicked, and said so. */
  PANIC,
  /** A processor shut down: an exception while it handled one while it handled one. */
  TRIPLE_FAULT,
  /** {@link VirtualMachine#stop} ended it. */
  STOPPED
}
