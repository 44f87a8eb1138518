package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A virtual IOMMU: a VM's slice of a physical IOMMU. Made by {@link Iommufd#allocViommu}; its page
 * table lives at least as long.
 *
 * <p>Safe for use by several threads.
 */
public final class Viommu implements AutoCloseable {
  private final Fd iommufd;
  private final ViommuId id;
  private final ViommuType type;
  private final HwptId pageTable;
  private final IommufdObject object;

  Viommu(Fd iommufd, ViommuId id, ViommuType type, HwptId pageTable) {
    this.iommufd = iommufd;
    this.id = id;
    this.type = type;
    this.pageTable = pageTable;
    this.object = new IommufdObject(iommufd, id.value(), id.toString());
  }

  /** Its id. */
  public ViommuId id() {
    return id;
  }

  /** The type it was made with. */
  public ViommuType type() {
    return type;
  }

  /** The page table that it was made from. */
  public HwptId pageTable() {
    return pageTable;
  }

  /**
   * Makes the vDEVICE that stands for a device in the VM, by IOMMU_VDEVICE_ALLOC. See
   * drivers/iommu/iommufd/viommu.c:iommufd_vdevice_alloc_ioctl.
   *
   * @param device a device bound to this iommufd, behind the vIOMMU's physical IOMMU
   * @param virtualId the id by which the VM's IOMMU knows it: the virtual BDF, or Arm's stream id
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device, it is being unbound, or the
   *     vIOMMU is destroyed. EINVAL: the device is behind another IOMMU. EEXIST: the device has a
   *     vDEVICE, or the virtual id is taken. ENOMEM. Under a proposal in which this call binds the
   *     device's interface: what the TSM reports
   */
  public Vdevice allocVdevice(DeviceId device, long virtualId) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_vdevice_alloc.allocate(arena);
      iommu_vdevice_alloc.size(alloc, (int) iommu_vdevice_alloc.sizeof());
      iommu_vdevice_alloc.viommu_id(alloc, id.value());
      iommu_vdevice_alloc.dev_id(alloc, device.value());
      iommu_vdevice_alloc.virt_id(alloc, virtualId);
      iommufd.ioctl(IommufdIoctls.IOMMU_VDEVICE_ALLOC, alloc);
      return new Vdevice(iommufd, new VdeviceId(iommu_vdevice_alloc.out_vdevice_id(alloc)));
    }
  }

  /**
   * Destroys the vIOMMU, by IOMMU_DESTROY. Does nothing if it or its iommufd is already closed.
   * After an error, it still exists and can be closed again. See
   * drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: it still has a vDEVICE or a nested page table
   */
  @Override
  public void close() {
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
