package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;

/**
 * A hardware page table: the mappings of an IOAS in the IOMMU's own format.
 *
 * <p>Attaching a device to an IOAS makes or shares one automatically. Make one explicitly to give
 * it special properties, or as the parent of a guest's page table.
 *
 * <p>Safe for use by several threads.
 */
public final class Hwpt implements AutoCloseable {
  private final HwptId id;
  private final IommufdObject object;

  Hwpt(Fd iommufd, HwptId id) {
    this.id = id;
    this.object = new IommufdObject(iommufd, id.value(), id.toString());
  }

  /** Its id, to attach devices to. */
  public HwptId id() {
    return id;
  }

  /**
   * Destroys the page table, by IOMMU_DESTROY. Does nothing if it or its iommufd is already closed.
   * After an error, it still exists and can be closed again. See
   * drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: a device is attached to it, or something was
   *     made from it
   */
  @Override
  public void close() {
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
