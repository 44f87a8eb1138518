package dev.iolite.mock.core;

/**
 * A device as a guest's IOMMU knows it (struct iommufd_vdevice), as seen by the code that binds its
 * interface.
 */
public interface GuestDevice {
  /** The device. */
  IommuDevice device();

  /** The guest's id of the device. */
  long virtualId();
}
