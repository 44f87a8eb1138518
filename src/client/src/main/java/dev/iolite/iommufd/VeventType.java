package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_vevent_arm_smmuv3;
import dev.iolite.uapi.iommufd.iommu_vevent_tegra241_cmdqv;

/**
 * The type of a vIOMMU's events, an IOMMU_VEVENTQ_TYPE_ number, and the size of its struct. Drivers
 * may have more types than the headers.
 *
 * @param name what it is called in messages
 * @param number the kernel's number, 32 bits, unsigned; 0 is not a type
 * @param eventBytes the size of an event
 */
public record VeventType(String name, int number, long eventBytes) {
  /** Events of an Arm SMMUv3: struct iommu_vevent_arm_smmuv3. */
  public static final VeventType ARM_SMMUV3 =
      new VeventType(
          "ARM_SMMUV3", Iommufd.IOMMU_VEVENTQ_TYPE_ARM_SMMUV3(), iommu_vevent_arm_smmuv3.sizeof());

  /** Errors of NVIDIA's command queues: struct iommu_vevent_tegra241_cmdqv. */
  public static final VeventType TEGRA241_CMDQV =
      new VeventType(
          "TEGRA241_CMDQV",
          Iommufd.IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV(),
          iommu_vevent_tegra241_cmdqv.sizeof());

  @Override
  public String toString() {
    return name;
  }
}
