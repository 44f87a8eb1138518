package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/**
 * A page that a device asked for and that its page table does not have: struct iommu_hwpt_pgfault.
 *
 * @param device the device
 * @param pasid its PASID; empty if the request has none
 * @param group the device's number of the request group
 * @param last whether it is the last of its group: then the group is answered
 * @param permissions what the device wants to do, IOMMU_PGFAULT_PERM_ bits
 * @param address the address
 * @param lengthHint how much the device is going to want, in bytes; 0 if it does not say
 * @param cookie what the answer names the group by
 */
public record PageFault(
    DeviceId device,
    OptionalInt pasid,
    int group,
    boolean last,
    int permissions,
    long address,
    int lengthHint,
    int cookie) {

  static PageFault of(MemorySegment fault) {
    int flags = iommu_hwpt_pgfault.flags(fault);
    return new PageFault(
        new DeviceId(iommu_hwpt_pgfault.dev_id(fault)),
        (flags & Iommufd.IOMMU_PGFAULT_FLAGS_PASID_VALID()) != 0
            ? OptionalInt.of(iommu_hwpt_pgfault.pasid(fault))
            : OptionalInt.empty(),
        iommu_hwpt_pgfault.grpid(fault),
        (flags & Iommufd.IOMMU_PGFAULT_FLAGS_LAST_PAGE()) != 0,
        iommu_hwpt_pgfault.perm(fault),
        iommu_hwpt_pgfault.addr(fault),
        iommu_hwpt_pgfault.length(fault),
        iommu_hwpt_pgfault.cookie(fault));
  }

  /** Whether the device wants to read. */
  public boolean wantsRead() {
    return (permissions & Iommufd.IOMMU_PGFAULT_PERM_READ()) != 0;
  }

  /** Whether the device wants to write. */
  public boolean wantsWrite() {
    return (permissions & Iommufd.IOMMU_PGFAULT_PERM_WRITE()) != 0;
  }

  /** Whether the device wants to execute, with a PASID. */
  public boolean wantsExecute() {
    return (permissions & Iommufd.IOMMU_PGFAULT_PERM_EXEC()) != 0;
  }

  /** Whether the device asks with privilege, with a PASID. */
  public boolean isPrivileged() {
    return (permissions & Iommufd.IOMMU_PGFAULT_PERM_PRIV()) != 0;
  }
}
