package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/** A property that a hardware page table is made with. */
public enum HwptFlag {
  /** Page tables of a guest can be nested on it. */
  NEST_PARENT(Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT()),
  /** The IOMMU notes which pages a device wrote; a device whose IOMMU can't is not attached. */
  DIRTY_TRACKING(Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING()),
  /**
   * It can be attached to single PASIDs of a device. VT-d grants this even without PASIDs: {@link
   * HwInfo#pasidBits} tells whether there are any.
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
