package dev.iolite.iommufd;

/** Who the kernel charges for pinned memory. A process with CAP_IPC_LOCK is not charged at all. */
public enum MemlockAccounting {
  /** The user: all its processes share one sum. The kernel's default. */
  USER,
  /** The process, as in the old VFIO container. */
  PROCESS
}
