package dev.iolite.mock.core;

/** What a dma-buf exported by VFIO may be used for. */
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
