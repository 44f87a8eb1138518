package dev.iolite.mock.iommufd;

import java.util.Optional;

/** Makes an IOMMU's vIOMMUs of a type (the driver's viommu_init operation). */
@FunctionalInterface
public interface ViommuDriver {
  /**
   * Makes one.
   *
   * @param viommu the core's part of it
   * @param parent the host's page table, a nest parent
   * @param data the caller's struct, if there is one
   * @return its operations
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  ViommuOps init(IommufdViommu viommu, PagingDomain parent, Optional<UserData> data);
}
