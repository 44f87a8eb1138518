package dev.iolite.mock.core;

/** What a dma-buf exported by VFIO may be used for. */
public enum DmaBufKind {
  /** As in 7.3: it is the host's while the device is. */
  PLAIN,
  /** What of a BAR is shared with the host; revoked for good when the interface is unlocked. */
  SHARED,
  /** What of a BAR only a confidential guest reaches; revoked for good as a shared one. */
  PRIVATE
}
