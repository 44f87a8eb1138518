package dev.iolite.vfio;

import dev.iolite.kernel.PageTableId;

/**
 * A device's attachment to the page table that its DMA goes through. Closing it detaches the
 * device.
 *
 * <p>Not safe for use by several threads.
 */
public final class Attachment implements AutoCloseable {
  private final BoundVfioDevice device;
  private final int number;
  private final PageTableId pageTable;

  Attachment(BoundVfioDevice device, int number, PageTableId pageTable) {
    this.device = device;
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

  /** Detaches the device, unless it has since been detached, attached elsewhere or closed. */
  @Override
  public void close() {
    device.detach(number);
  }

  @Override
  public String toString() {
    return device + " attached to " + pageTable;
  }
}
