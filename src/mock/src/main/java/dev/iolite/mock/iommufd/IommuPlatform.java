package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice;

/** Finds the IOMMU in front of a device. */
@FunctionalInterface
public interface IommuPlatform {
  /** The IOMMU of a device that has a group. */
  Iommu of(IommuDevice device);

  /** A machine with one IOMMU in front of all devices. */
  static IommuPlatform of(Iommu iommu) {
    return _ -> iommu;
  }
}
