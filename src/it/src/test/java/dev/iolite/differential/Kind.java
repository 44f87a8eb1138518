package dev.iolite.differential;

/** What one call of a program does; in brackets its arguments. */
enum Kind {
  /** IOMMU_IOAS_ALLOC. */
  IOAS,
  /** IOMMU_DESTROY [object]. */
  DESTROY,
  /** IOMMU_IOAS_MAP [IOAS, flags, offset in the RAM, length, IOVA]. */
  MAP,
  /** IOMMU_IOAS_MAP_FILE [IOAS, flags, file, start, length, IOVA]. */
  MAP_FILE,
  /** IOMMU_IOAS_COPY [to, flags, IOVA, from, IOVA, length]. */
  COPY,
  /** IOMMU_IOAS_UNMAP [IOAS, IOVA, length]. */
  UNMAP,
  /** IOMMU_IOAS_IOVA_RANGES [IOAS, room]. */
  RANGES,
  /** IOMMU_IOAS_ALLOW_IOVAS [IOAS, start, last, start, last]. */
  ALLOW,
  /** IOMMU_OPTION [option, operation, object, value]. */
  OPTION,
  /** IOMMU_HWPT_ALLOC [flags, device, parent]. */
  HWPT,
  /** IOMMU_GET_HW_INFO [device]. */
  HW_INFO,
  /** IOMMU_VFIO_IOAS [operation, IOAS]. */
  VFIO_IOAS,
  /** IOMMU_IOAS_CHANGE_PROCESS. */
  CHANGE_PROCESS,
  /** From now on another iommufd is meant; opened if it is not there [0 or 1]. */
  CONTEXT,
  /** Opens a device's file [0: edu, 1: the NVMe controller, 2: the ivshmem of seed-2025]. */
  OPEN,
  /** Closes it [device]. */
  CLOSE,
  /** VFIO_DEVICE_BIND_IOMMUFD [device]. */
  BIND,
  /** VFIO_DEVICE_ATTACH_IOMMUFD_PT [device, object]. */
  ATTACH,
  /** VFIO_DEVICE_DETACH_IOMMUFD_PT [device]. */
  DETACH,
  /** Writes PCI_COMMAND [device, value]. */
  COMMAND,
  /** VFIO_DEVICE_FEATURE_DMA_BUF [device, flags, region, offset, length, offset, length]. */
  EXPORT,
  /** Closes a dma-buf [dma-buf]. */
  CLOSE_BUF,
  /** Reads a region [device, region, offset, bytes]. */
  READ,
  /** VFIO_DEVICE_RESET [device]. */
  RESET,
  /** VFIO_DEVICE_GET_REGION_INFO [device, region]. */
  REGION,
  /** The device writes eight zeros [device, IOVA]; where they arrive. */
  DMA,
  /** Makes an eventfd. */
  EVENT,
  /** VFIO_DEVICE_GET_IRQ_INFO [device, index]. */
  IRQ_INFO,
  /**
   * VFIO_DEVICE_SET_IRQS [device, flags, index, start, count, eventfd or truth value ...]; who
   * hears it.
   */
  IRQS,
  /** How often each eventfd was signalled since. */
  SIGNALS,
  /** Without INTx, edu raises an interrupt [device]; which eventfds hear it. */
  RAISE,
  /** KVM_CREATE_VM [type]. */
  VM,
  /** KVM_SET_USER_MEMORY_REGION(2) [VM, 1 or 2, slot, flags, GPA, length, offset, gmem, start]. */
  SLOT,
  /** KVM_CREATE_GUEST_MEMFD [VM, size, flags]. */
  GMEM,
  /** Closes a guest_memfd [gmem]. */
  CLOSE_GMEM,
  /** KVM_SET_MEMORY_ATTRIBUTES [VM, GPA, length, attributes]. */
  ATTRIBUTES,
  /** KVM_CREATE_VCPU [VM, id]. */
  VCPU,
  /** KVM_PRE_FAULT_MEMORY [vCPU, GPA, length]. */
  PRE_FAULT,
  /** KVM_CREATE_DEVICE of type VFIO [VM]. */
  LIST,
  /** KVM_DEV_VFIO_FILE_ADD or _DEL [list, attribute, device]. */
  LIST_SET,

  // What follows is of the kernel seed-2025.

  /** Writes to {@code tsm/connect} of a device [as OPEN, which text]. */
  CONNECT,
  /** Writes to {@code tsm/disconnect} of a device [as OPEN, which text]. */
  DISCONNECT,
  /** Reads {@code tsm/connect} and {@code tsm/bound} of a device [as OPEN]. */
  BOUND,
  /** IOMMU_VIOMMU_ALLOC [type, device, HWPT, length of the data, flags]. */
  VIOMMU,
  /** IOMMU_VDEVICE_ALLOC [vIOMMU, device, virtual id]. */
  VDEVICE,
  /** IOMMU_VDEVICE_TSM_OP [vDEVICE, type, flags]. */
  TSM_OP,
  /**
   * IOMMU_VDEVICE_TSM_REQ [vDEVICE, operation, architecture, length of the request, room for the
   * response, what of these has no memory, three numbers of 64 bits, as OPEN: the device to whose
   * memory the last one is an offset].
   */
  TSM_REQ,
  /** VFIO_DMA_BUF_GET_RUNS on a dma-buf [dma-buf, room, flags, size, where: 0 or none]. */
  RUNS,
  /** VFIO_DEVICE_FEATURE_DMA_BUF_RUNS [device, dma-buf, room, bytes less than that]. */
  DEVICE_RUNS,
  /** Another command on a dma-buf [dma-buf, command]. */
  BUF_COMMAND,
  /** A KVM_MEM_DMABUF slot [VM, slot, flags, GPA, length, dma-buf, offset]. */
  BUF_SLOT,
  /** A slot with the code of the guest [VM]. */
  CODE,
  /** A guest reads 32 bits [vCPU, GPA]. */
  GUEST_READ,
  /** A guest makes a hypercall [vCPU, number]. */
  GUEST_CALL,
  /** KVM_ENABLE_CAP of KVM_CAP_EXIT_HYPERCALL [VM, calls]. */
  HYPERCALLS,
  /** KVM_CHECK_EXTENSION [VM, capability]. */
  CAPABILITY,
  /** Sets VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY or _EXIT [device, feature]. */
  LOW_POWER,
  /** VFIO_DEVICE_IOEVENTFD [device, region, offset, bytes, eventfd]. */
  IOEVENTFD,
  /** An interface fails by itself [as OPEN, whether the TSM's link to the device is lost, too]. */
  TSM_FAULT,
  /** Maps a region of a device [device, region, offset, length]. */
  MMAP,
  /** Copies 4 bytes out of what is mapped [mapping]. */
  TOUCH,
  /** Closes a VM [VM]. */
  CLOSE_VM,
  /** Closes a KVM device of type VFIO [list]. */
  CLOSE_LIST,
  /** Closes the iommufd. */
  CLOSE_IOMMUFD,
}
