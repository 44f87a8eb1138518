package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import java.util.Optional;
import java.util.Set;

/**
 * All that the kernel reports about the IOMMU in front of a device.
 *
 * @param hardware the hardware and its capabilities
 * @param ranges where the device can be mapped, and how aligned
 * @param nesting whether this kernel can nest a guest's page tables for the device
 */
public record IommuInfo(HwInfo hardware, IovaRanges ranges, boolean nesting) {
  /**
   * Asks the kernel: the hardware's data, the ranges, and for nesting whether a page table for it
   * can be made, which is destroyed again.
   *
   * @param iommufd what the device is bound to
   * @param device the device
   * @param attached the IOAS that the device is attached to and no other is, so that its ranges are
   *     the device's
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device or IOAS in this iommufd
   */
  public static IommuInfo of(Iommufd iommufd, DeviceId device, Ioas attached) {
    HwInfo hardware = iommufd.hwInfo(device);
    Optional<Hwpt> parent = iommufd.allocHwpt(device, attached, Set.of(HwptFlag.NEST_PARENT));
    parent.ifPresent(Hwpt::close);
    return new IommuInfo(hardware, attached.ranges(), parent.isPresent());
  }
}
