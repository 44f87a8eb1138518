package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;

/**
 * A device as a VM's virtual IOMMU knows it. Made by {@link Viommu#allocVdevice}. Close it before
 * its device: closing the device would destroy it.
 *
 * <p>Safe for use by several threads.
 */
public final class Vdevice implements AutoCloseable {
  private final VdeviceId id;
  private final IommufdObject object;

  Vdevice(Fd iommufd, VdeviceId id) {
    this.id = id;
    this.object = new IommufdObject(iommufd, id.value(), id.toString());
  }

  /** Its id. */
  public VdeviceId id() {
    return id;
  }

  /**
   * Destroys the vDEVICE, by IOMMU_DESTROY; under the proposals, that unbinds the device's
   * interface. Does nothing if it or its iommufd is already closed. After an error, it still exists
   * and can be closed again. See drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: it is in use; ENOENT: its device has been
   *     unbound already
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
