package dev.iolite.tdi.bars;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.BoundVfioDevice;

/**
 * A device, and what its BARs are mapped into.
 *
 * @param vfio the device
 * @param vm the guest's VM, which gets the memory slots
 * @param iommufd the iommufd that has the IOAS
 * @param ioas the IOAS, which gets the maps
 * @param profile the calls of the kernel
 */
public record MmioTarget(
    BoundVfioDevice vfio, Vm vm, Iommufd iommufd, Ioas ioas, UapiProfile profile) {
  static MmioTarget of(AssignedInterface device) {
    return new MmioTarget(
        device.vfio(), device.vm(), device.iommufd(), device.ioas(), device.profile());
  }
}
