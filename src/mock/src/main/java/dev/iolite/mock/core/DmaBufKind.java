package dev.iolite.mock.core;

/** The permitted use of a dma-buf that VFIO exported. */
public enum DmaBufKind {
  /** The kind of 7.3: usable while the device is the host's. */
  PLAIN,
  /**
   * The part of a BAR that is shared with the host; permanently revoked when the interface is
   * unlocked.
   */
  SHARED,
  /**
   * The part of a BAR that only a confidential guest reaches; permanently revoked as a shared one
   * is.
   */
  PRIVATE
}
