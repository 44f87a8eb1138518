package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/**
 * The type of a virtual IOMMU, an IOMMU_VIOMMU_TYPE_ number. Proposals have more types than the
 * headers, so this is a number with a name.
 *
 * @param name what it is called in messages
 * @param number the kernel's number, 32 bits, unsigned; 0 is not a type
 */
public record ViommuType(String name, int number) {
  /** A slice of an Arm SMMUv3. AMD's driver accepts this number too, like any number but 0. */
  public static final ViommuType ARM_SMMUV3 =
      new ViommuType("ARM_SMMUV3", Iommufd.IOMMU_VIOMMU_TYPE_ARM_SMMUV3());

  /** NVIDIA Tegra241 command queues. */
  public static final ViommuType TEGRA241_CMDQV =
      new ViommuType("TEGRA241_CMDQV", Iommufd.IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV());

  @Override
  public String toString() {
    return name;
  }
}
