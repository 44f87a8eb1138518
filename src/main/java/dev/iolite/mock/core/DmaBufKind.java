package dev.iolite.mock.core;

/** What may be done with a dma-buf of VFIO's. */
public enum DmaBufKind {
  /** As in 7.3: it is the host's while the device is. */
  PLAIN,
  /** What of a BAR is shared with the host; once revoked it never comes back. */
  SHARED,
  /** What of a BAR only a confidential guest reaches; once revoked it never comes back. */
  PRIVATE
}
