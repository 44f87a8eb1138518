package dev.iolite.vfio;

import dev.iolite.kernel.PageTableId;

/**
 * The attachment of a device, or of one of its PASIDs, to the page table that its DMA goes through.
 * Closing it detaches.
 *
 * <p>Not safe for use by several threads.
 */
public final class Attachment implements AutoCloseable {
  private final BoundVfioDevice device;
  private final int pasid;
  private final int number;
  private final PageTableId pageTable;

  Attachment(BoundVfioDevice device, int pasid, int number, PageTableId pageTable) {
    this.device = device;
    this.pasid = pasid;
    this.number = number;
    this.pageTable = pageTable;
  }

  /**
   * The page table in use: for an IOAS, the one that the kernel picked or made for it, or the IOAS
   * itself for a device that has no IOMMU.
   */
  public PageTableId pageTable() {
    return pageTable;
  }

  /**
   * Detaches the device or its PASID, unless that has since been detached, attached elsewhere or
   * closed.
   */
  @Override
  public void close() {
    device.detachIfCurrent(pasid, number);
  }

  @Override
  public String toString() {
    return device
        + (pasid == BoundVfioDevice.NO_PASID ? "" : ", PASID " + pasid)
        + " attached to "
        + pageTable;
  }
}
