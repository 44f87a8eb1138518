package dev.iolite.uapi.catalog;

/**
 * What a descriptor refers to. An ioctl number means something only together with the kind: on
 * another kind of file, the same number is another command.
 */
public enum FdKind {
  /** A VFIO device, opened by its own name, {@code /dev/vfio/devices/vfioN}, or by its group. */
  VFIO_DEVICE("VFIO device"),
  /** The stream of a VFIO device's state, as it migrates. */
  VFIO_MIGRATION("VFIO migration"),
  /** {@code /dev/vfio/vfio}: groups that share an IOMMU's address space. */
  VFIO_CONTAINER("VFIO container"),
  /** An IOMMU group, {@code /dev/vfio/N}. */
  VFIO_GROUP("VFIO group"),
  /** {@code /dev/iommu}. */
  IOMMUFD("iommufd"),
  /** The page faults of an iommufd's devices. */
  FAULT_QUEUE("fault queue"),
  /** The events of a vIOMMU. */
  VEVENTQ("vEVENTQ"),
  /** {@code /dev/kvm}. */
  KVM("KVM"),
  /** A virtual machine. */
  KVM_VM("KVM VM"),
  /** A virtual CPU. */
  KVM_VCPU("KVM vCPU"),
  /** A device inside a VM, such as the VFIO device. */
  KVM_DEVICE("KVM device"),
  /** A guest_memfd. */
  GUEST_MEMFD("guest_memfd"),
  /** A dma-buf, no matter who exported it. */
  DMA_BUF("dma-buf"),
  /** A fence of a dma-buf's users. */
  SYNC_FILE("sync file"),
  /** {@code /dev/udmabuf}. */
  UDMABUF("udmabuf"),
  /** An eventfd. */
  EVENTFD("eventfd"),
  /** An anonymous file in memory. */
  MEMFD("memfd"),
  /** A file or directory of a file system such as sysfs. */
  FILE("file");

  private final String words;

  FdKind(String words) {
    this.words = words;
  }

  /** The kind, as a person would write it. */
  @Override
  public String toString() {
    return words;
  }
}
