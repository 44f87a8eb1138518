package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
   * Makes a page table that the guest fills, nested on the vIOMMU's, by IOMMU_HWPT_ALLOC. See
   * drivers/iommu/iommufd/hw_pagetable.c:iommufd_viommu_alloc_hwpt_nested.
   *
   * @param device the device that it is for, behind the vIOMMU's physical IOMMU
   * @param data what the IOMMU's driver is told of it
   * @param faults where the page faults of its devices go
   * @return the page table; empty if the driver does not nest so (EOPNOTSUPP)
   * @throws dev.iolite.kernel.KernelException as for {@link Iommufd#allocNested}
   */
  public Optional<NestedHwpt> allocNested(
      DeviceId device, PageTableData data, Optional<FaultQueue> faults) {
    return new HwptAllocCall(device, id.value(), Set.of(), faults)
        .make(iommufd, data)
        .map(hwpt -> new NestedHwpt(iommufd, hwpt));
  }

  /**
   * Has the IOMMU forget what the guest has changed, by IOMMU_HWPT_INVALIDATE: what concerns the
   * vIOMMU, not one page table.
   *
   * @param requests all of one kind
   * @return how many were handled, and why not all; see {@link InvalidationResult} on what an Arm
   *     SMMUv3 has done after an error
   */
  public InvalidationResult invalidate(List<? extends Invalidation> requests) {
    return InvalidateCall.make(iommufd, id.value(), requests);
  }

  /**
   * Makes a queue for events of the vIOMMU, by IOMMU_VEVENTQ_ALLOC. See
   * drivers/iommu/iommufd/eventq.c:iommufd_veventq_alloc.
   *
   * @param depth how many events it holds before it loses some
   * @throws dev.iolite.kernel.KernelException EEXIST: the vIOMMU has one of this type; EINVAL: the
   *     depth is 0 or too large; EMFILE. ENOMEM
   */
  public VeventQueue allocVeventQueue(VeventType type, int depth) {
    return VeventQueue.alloc(iommufd, id, type, depth);
  }

  /**
   * Makes a queue in the guest's memory that the IOMMU reads itself, by IOMMU_HW_QUEUE_ALLOC. The
   * memory is pinned while the queue exists. See
   * drivers/iommu/iommufd/viommu.c:iommufd_hw_queue_alloc_ioctl.
   *
   * @param index which one of the vIOMMU's, from 0
   * @param memory where it is in the guest-physical addresses
   * @return the queue; empty if the driver has none of this type (EOPNOTSUPP)
   * @throws dev.iolite.kernel.KernelException ENOENT: the memory is not mapped; EFAULT: its pages
   *     are not contiguous; EINVAL, EOVERFLOW, ERANGE: it is no range of the address space; EEXIST:
   *     there is a queue with this index; otherwise what the driver says of index and memory
   */
  public Optional<HwQueue> allocHwQueue(HwQueueType type, int index, IovaRange memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_hw_queue_alloc.allocate(arena);
      iommu_hw_queue_alloc.size(alloc, (int) iommu_hw_queue_alloc.sizeof());
      iommu_hw_queue_alloc.viommu_id(alloc, id.value());
      iommu_hw_queue_alloc.type(alloc, type.number());
      iommu_hw_queue_alloc.index(alloc, index);
      iommu_hw_queue_alloc.nesting_parent_iova(alloc, memory.first());
      iommu_hw_queue_alloc.length(alloc, memory.bytes());
      return iommufd.ioctl(IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, alloc, Errno.EOPNOTSUPP) < 0
          ? Optional.empty()
          : Optional.of(new HwQueue(iommufd, iommu_hw_queue_alloc.out_hw_queue_id(alloc)));
    }
  }

  /**
   * Destroys the vIOMMU, by IOMMU_DESTROY. Does nothing if it or its iommufd is already closed.
   * After an error, it still exists and can be closed again. See
   * drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: it still has a vDEVICE, a nested page table or
   *     a queue
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
