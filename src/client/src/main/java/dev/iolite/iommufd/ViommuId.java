package dev.iolite.iommufd;

/**
 * A virtual IOMMU of an iommufd.
 *
 * @param value the id, unsigned, unique within its iommufd
 */
public record ViommuId(int value) {
  @Override
  public String toString() {
    return "vIOMMU " + Integer.toUnsignedString(value);
  }
}
