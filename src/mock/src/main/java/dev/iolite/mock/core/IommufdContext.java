package dev.iolite.mock.core;

/** An open {@code /dev/iommu} as drivers see it (include/linux/iommufd.h). */
public abstract class IommufdContext extends OpenFile {
  /** A new context with one reference. */
  protected IommufdContext(Task task) {
    super(task);
  }

  /**
   * iommufd_device_bind. The bound device keeps the context alive.
   *
   * @throws Refused EINVAL, ENODEV, EPERM, EBUSY as in drivers/iommu/iommufd/device.c
   */
  public abstract BoundDevice bind(IommuDevice device);

  /**
   * The vDEVICE of an id.
   *
   * @throws Refused ENOENT
   */
  public abstract GuestDevice guestDevice(int id);

  /** iommufd_vfio_compat_ioas_create: makes the IOAS of VFIO's old calls unless there is one. */
  public abstract void makeVfioIoas();

  /**
   * The id of the IOAS of VFIO's old calls (iommufd_vfio_compat_ioas_get_id).
   *
   * @throws Refused ENODEV: there is none
   */
  public abstract int vfioIoasId();

  /** Whether a device of the group is bound here (iommufd_ctx_has_group). */
  public boolean owns(IommuDeviceGroup group) {
    return group.owner().filter(this::equals).isPresent();
  }

  /** A device in a context (struct iommufd_device). */
  public interface BoundDevice {
    /** Its object id. */
    int id();

    /**
     * iommufd_device_attach or, if it is attached, iommufd_device_replace.
     *
     * @param pageTable the id of an IOAS or a HWPT
     * @return the id of the HWPT that it is attached to now
     * @throws Refused what drivers/iommu/iommufd/device.c says
     */
    int attach(int pageTable);

    /** iommufd_device_detach; the device must be attached. */
    void detach();

    /** Whether it is attached. */
    boolean isAttached();

    /**
     * {@link #attach(int)} for DMA with a PASID.
     *
     * @param pasid not 0
     */
    int attachPasid(int pasid, int pageTable);

    /** {@link #detach} for a PASID, which must be attached. */
    void detachPasid(int pasid);

    /** Whether a PASID is attached. */
    boolean isPasidAttached(int pasid);

    /** iommufd_device_unbind: the device must be detached. */
    void unbind();
  }
}
