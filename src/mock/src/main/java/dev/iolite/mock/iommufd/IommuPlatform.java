package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.DmaDomain;
import dev.iolite.mock.core.IommuDevice;
import java.util.Optional;

/** Finds the IOMMU in front of a device. */
@FunctionalInterface
public interface IommuPlatform {
  /** The IOMMU of a device that has a group. */
  Iommu of(IommuDevice device);

  /** The page table that its driver makes for a device (iommu_paging_domain_alloc). */
  default DmaDomain domain(IommuDevice device) {
    Iommu iommu = of(device);
    PagingDomain made = iommu.allocatePaging(device, 0, Optional.empty());
    return new DmaDomain(
        made.pageSizes(), made.firstIova(), made.lastIova(), iommu.enforcesCoherency());
  }

  /** A machine with one IOMMU in front of all devices. */
  static IommuPlatform of(Iommu iommu) {
    return _ -> iommu;
  }
}
