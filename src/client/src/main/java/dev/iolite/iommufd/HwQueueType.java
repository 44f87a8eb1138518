package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/**
 * The type of a hardware queue, an IOMMU_HW_QUEUE_TYPE_ number. Drivers may have more types than
 * the headers.
 *
 * @param name what it is called in messages
 * @param number the kernel's number, 32 bits, unsigned; 0 is not a type
 */
public record HwQueueType(String name, int number) {
  /** A command queue of NVIDIA Tegra241. */
  public static final HwQueueType TEGRA241_CMDQV =
      new HwQueueType("TEGRA241_CMDQV", Iommufd.IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV());

  @Override
  public String toString() {
    return name;
  }
}
