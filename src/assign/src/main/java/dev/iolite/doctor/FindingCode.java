package dev.iolite.doctor;

/**
 * The code of what a check found, for programs that collect findings: {@code IOL-0012}. A code
 * keeps its number and its meaning. One that is no longer used is not given to anything else.
 */
public enum FindingCode {
  /** Linux is older than the version that iolite is tested on. */
  OLD_KERNEL(1),
  /** The version of Linux can't be read. */
  KERNEL_UNREAD(2),
  /** There is no IOMMU. */
  NO_IOMMU(3),
  /** The list of IOMMUs can't be read. */
  IOMMU_UNREAD(4),
  /** No PCI device is in an IOMMU group. */
  NO_IOMMU_GROUP(5),
  /** The IOMMU groups can't be read. */
  IOMMU_GROUPS_UNREAD(6),
  /** There is no iommufd, or no node for it. */
  NO_IOMMUFD(7),
  /** This process may not open iommufd. */
  IOMMUFD_FORBIDDEN(8),
  /** A call on an iommufd fails. */
  IOMMUFD_FAILED(9),
  /** The memlock limit is lower than what a passthrough locks. */
  MEMLOCK_TOO_LOW(10),
  /** There is a memlock limit, which a guest's memory may exceed. */
  MEMLOCK_LIMITED(11),
  /** Memory can't be mapped for a device. */
  MEMLOCK_FAILED(12),
  /** The memlock limit can't be read. */
  MEMLOCK_UNREAD(13),
  /** The driver vfio-pci is not there. */
  NO_VFIO_PCI(14),
  /** The devices of vfio-pci can't be read. */
  VFIO_PCI_UNREAD(15),
  /** VFIO makes no character devices. */
  NO_VFIO_CDEV(16),
  /** Whether VFIO makes character devices can't be read. */
  VFIO_CDEV_UNREAD(17),
  /** No device could be tried. */
  DEVICE_UNTRIED(18),
  /** This process may not open a device. */
  DEVICE_FORBIDDEN(19),
  /** A device can't be opened, bound or attached. */
  DEVICE_FAILED(20),
  /** The device that was tried is in use. */
  DEVICE_IN_USE(21),
  /** There was no device whose BAR could be exported. */
  DMA_BUF_UNTRIED(22),
  /** A BAR can't be exported or mapped. */
  DMA_BUF_FAILED(23),
  /** There is no KVM, or no node for it. */
  NO_KVM(24),
  /** This process may not open KVM. */
  KVM_FORBIDDEN(25),
  /** A call on KVM fails, or a guest can't run. */
  KVM_FAILED(26),
  /** No guest was tried, because the processor is no x86. */
  KVM_UNTRIED(27),
  /** A guest wrote something other than it was to. */
  KVM_GUEST_WRONG(28),
  /** Neither TDX nor SEV-SNP guests can be made. */
  NO_CONFIDENTIAL_VM(29),
  /** KVM can't be asked for the types of VM. */
  VM_TYPES_UNREAD(30),
  /** The kernel has no TEE security managers. */
  NO_TSM_CLASS(31),
  /** There is no TEE security manager. */
  NO_TSM(32),
  /** The list of TEE security managers can't be read. */
  TSM_UNREAD(33),
  /** No huge pages are reserved. */
  NO_HUGE_PAGES(34),
  /** The number of huge pages can't be read. */
  HUGE_PAGES_UNREAD(35);

  private final int number;

  FindingCode(int number) {
    this.number = number;
  }

  /** Its form in reports and in the documentation. */
  @Override
  public String toString() {
    return "IOL-%04d".formatted(number);
  }
}
