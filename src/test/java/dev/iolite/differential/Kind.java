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
  /** Opens a device's file [0: edu, 1: the NVMe controller]. */
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
  /** VFIO_DEVICE_FEATURE_DMA_BUF [device, region, offset, length, offset, length]. */
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
}
