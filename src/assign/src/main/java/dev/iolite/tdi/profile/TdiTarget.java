package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.KernelLog;
import dev.iolite.vfio.BoundVfioDevice;

/**
 * The target of a bind: a device that was given to a VM before it was bound to the iommufd, and its
 * place in the VM.
 *
 * @param iommufd the iommufd that the device is bound to
 * @param viommu a vIOMMU of that iommufd, of the type that {@link UapiProfile#viommuType} gives
 * @param device the device; its vDEVICE must not exist yet
 * @param virtualBdf the guest's bus, device and function number for it, 16 bits
 * @param log where the TSM's driver says why it refuses a call
 */
public record TdiTarget(
    Iommufd iommufd, Viommu viommu, BoundVfioDevice device, long virtualBdf, KernelLog log) {}
