package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/** A property of a hardware page table, chosen when it is made. */
public enum HwptFlag {
  /** A guest's page tables can be nested on it. */
  NEST_PARENT(Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT()),
  /**
   * The IOMMU records which pages a device wrote; a device whose IOMMU cannot do that is not
   * attached.
   */
  DIRTY_TRACKING(Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING()),
  /**
   * It can be attached to individual PASIDs of a device. VT-d accepts this flag even without
   * PASIDs: {@link HwInfo#pasidBits} says whether there are any.
   */
  PASID(Iommufd.IOMMU_HWPT_ALLOC_PASID());

  private final int bit;

  HwptFlag(int bit) {
    this.bit = bit;
  }

  int bit() {
    return bit;
  }
}
