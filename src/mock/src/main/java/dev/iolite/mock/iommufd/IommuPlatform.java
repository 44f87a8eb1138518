package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice;

/** Which IOMMU is in front of which device. */
@FunctionalInterface
public interface IommuPlatform {
  /** The IOMMU of a device that has a group. */
  Iommu of(IommuDevice device);

  /** A machine with one IOMMU in front of all devices. */
  static IommuPlatform of(Iommu iommu) {
    return _ -> iommu;
  }
}
