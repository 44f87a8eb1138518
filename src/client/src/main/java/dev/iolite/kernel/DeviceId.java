package dev.iolite.kernel;

/**
 * A device as an iommufd knows it: the id that VFIO_DEVICE_BIND_IOMMUFD returned.
 *
 * @param value the id, unsigned, unique within its iommufd
 */
public record DeviceId(int value) {
  @Override
  public String toString() {
    return "device " + Integer.toUnsignedString(value);
  }
}
