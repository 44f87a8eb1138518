package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;

/**
 * A queue in the guest's memory that the IOMMU reads itself. Made by {@link Viommu#allocHwQueue};
 * close it before the vIOMMU.
 *
 * <p>Safe for use by several threads.
 */
public final class HwQueue implements AutoCloseable {
  private final int id;
  private final IommufdObject object;

  HwQueue(Fd iommufd, int id) {
    this.id = id;
    this.object = new IommufdObject(iommufd, id, "hardware queue " + Integer.toUnsignedString(id));
  }

  /** Its id, unsigned. */
  public int id() {
    return id;
  }

  /** Destroys the queue, by IOMMU_DESTROY; its memory can be unmapped then. */
  @Override
  public void close() {
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
