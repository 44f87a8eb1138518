package dev.iolite.iommufd;

/**
 * A device of a virtual IOMMU.
 *
 * @param value the id, unsigned, unique within its iommufd
 */
public record VdeviceId(int value) {
  @Override
  public String toString() {
    return "vDEVICE " + Integer.toUnsignedString(value);
  }
}
