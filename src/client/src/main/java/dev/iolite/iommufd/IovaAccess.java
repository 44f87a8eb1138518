package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/** What a device may do with mapped memory. The kernel has no mappings that allow no access. */
public enum IovaAccess {
  /** The device may read the memory. */
  READ(Iommufd.IOMMU_IOAS_MAP_READABLE()),
  /**
   * The device may write to the memory. Whether it can read it too depends on the IOMMU: not every
   * IOMMU can forbid that.
   */
  WRITE(Iommufd.IOMMU_IOAS_MAP_WRITEABLE()),
  /** The device may do both. */
  READ_WRITE(Iommufd.IOMMU_IOAS_MAP_READABLE() | Iommufd.IOMMU_IOAS_MAP_WRITEABLE());

  private final int flags;

  IovaAccess(int flags) {
    this.flags = flags;
  }

  /** The IOMMU_IOAS_MAP_* bits. */
  int flags() {
    return flags;
  }
}
