package dev.iolite.iommufd;

/** Whom pinned memory is charged to. A process with CAP_IPC_LOCK is charged in neither way. */
public enum MemlockAccounting {
  /** The user: all its processes share one sum. The kernel's default. */
  USER,
  /** The process, as the old VFIO container did it. */
  PROCESS
}
