package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import java.util.Optional;
import java.util.Set;

/**
 * Everything that the kernel reports about the IOMMU in front of a device.
 *
 * @param hardware the hardware and its capabilities
 * @param ranges where memory can be mapped for the device, and with which alignment
 * @param nesting whether this kernel can nest a guest's page tables for the device
 */
public record IommuInfo(HwInfo hardware, IovaRanges ranges, boolean nesting) {
  /**
   * Asks the kernel for the hardware's data and the ranges. To find out about nesting, makes a page
   * table for it, and destroys that again.
   *
   * @param iommufd the iommufd that the device is bound to
   * @param device the device
   * @param attached an IOAS that only this device is attached to, so that its ranges are the
   *     device's
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device or IOAS in this iommufd
   */
  public static IommuInfo of(Iommufd iommufd, DeviceId device, Ioas attached) {
    HwInfo hardware = iommufd.hwInfo(device);
    Optional<Hwpt> parent = iommufd.allocHwpt(device, attached, Set.of(HwptFlag.NEST_PARENT));
    parent.ifPresent(Hwpt::close);
    return new IommuInfo(hardware, attached.ranges(), parent.isPresent());
  }
}
