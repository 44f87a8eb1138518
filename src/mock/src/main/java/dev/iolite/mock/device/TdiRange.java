package dev.iolite.mock.device;

import dev.iolite.kernel.Page;

/**
 * A range of a BAR in a TDISP DEVICE_INTERFACE_REPORT (PCI Express 7.0, 11.3.11).
 *
 * @param bar the BAR
 * @param firstPage where it starts in the BAR, in pages of 4 KiB
 * @param pages its length, in pages of 4 KiB, unsigned
 * @param attributes the report's attribute bits, 0 to 3
 */
public record TdiRange(int bar, long firstPage, int pages, int attributes) {
  /** The range is the MSI-X table. */
  public static final int MSIX_TABLE = 1;

  /** The range is the MSI-X pending bit array. */
  public static final int MSIX_PBA = 1 << 1;

  /** The range stays shared with the host. */
  public static final int NON_TEE = 1 << 2;

  /** The range can be made private or shared while the interface runs. */
  public static final int UPDATABLE = 1 << 3;

  private static final int ALL = MSIX_TABLE | MSIX_PBA | NON_TEE | UPDATABLE;

  /** Checks the attributes. */
  public TdiRange {
    if ((attributes & ~ALL) != 0 || pages == 0 || firstPage < 0) {
      throw new IllegalArgumentException("no such range in a device interface report");
    }
  }

  /** The offset of its end in the BAR, in bytes. */
  public long endBytes() {
    return (firstPage + Integer.toUnsignedLong(pages)) * Page.BYTES;
  }

  /**
   * Whether a lock makes it private: it is not shared with the host, and if it is an MSI-X
   * structure, the lock covers these.
   *
   * @param msixLocked whether the lock covers them (LOCK_MSIX)
   */
  public boolean isTee(boolean msixLocked) {
    boolean msiX = (attributes & (MSIX_TABLE | MSIX_PBA)) != 0;
    return (attributes & NON_TEE) == 0 && (msixLocked || !msiX);
  }

  /**
   * Whether it is reported: everything that is TEE memory after the lock, and everything that never
   * is.
   */
  boolean isReported(boolean msixLocked) {
    return isTee(msixLocked) || (attributes & NON_TEE) != 0;
  }
}
