package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of VFIO's calls. */
final class VfioAdvice {
  private VfioAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "VFIO_DEVICE_BIND_IOMMUFD" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the device is open in another process, is bound already, or its IOMMU is not"
                        + " cache-coherent",
                    "fuser -v /dev/vfio/devices/*");
            case EPERM ->
                new Advice(
                    "another device of the same IOMMU group is used by a host driver or through"
                        + " another iommufd, or interrupts are not isolated",
                    "iolite pci show BDF lists the group; bind every device of it to vfio-pci, and"
                        + " use one iommufd; enable interrupt remapping in the firmware");
            case EBUSY ->
                new Advice(
                    "the IOMMU group is open by its own file, or the kernel has given it a page"
                        + " table already",
                    "fuser -v /dev/vfio/* shows who has it; iolite pci show BDF lists the group");
            case EACCES ->
                new Advice(
                    "a VF token is needed: of the device and its SR-IOV functions others are in"
                        + " use",
                    "give it with --vf-token");
            case EAGAIN ->
                new Advice(
                    "the kernel resets or removes the device at the moment",
                    "try again a little later");
            case ENODEV ->
                new Advice(
                    "the device has no IOMMU group: there is no IOMMU, or it is off",
                    "iolite doctor says how this machine gets one");
            default -> null;
          };
      case "VFIO_DEVICE_ATTACH_IOMMUFD_PT" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "what is mapped in the IOAS does not fit the device: an IOVA outside its"
                        + " window, a reserved range, or a file that can not be used for DMA",
                    "iolite iommu info BDF shows the allowed ranges");
            case ENOENT ->
                new Advice(
                    "there is no such object in the iommufd that the device is bound to",
                    "attach to an IOAS of the same iommufd");
            case EBUSY ->
                new Advice(
                    "another device of the IOMMU group is attached to another object",
                    "attach all devices of the group to the same one; iolite pci show BDF lists"
                        + " it");
            case ENOMEM, EFAULT, EPERM -> IommufdAdvice.mapped(errno);
            case ENOSPC, EADDRINUSE ->
                new Advice(
                    "a reserved range of the device overlaps what is mapped in the IOAS",
                    "iolite iommu info BDF shows the allowed ranges");
            default -> null;
          };
      case "VFIO_DEVICE_FEATURE" ->
          switch (errno) {
            case ENOTTY ->
                new Advice(
                    "this kernel or device does not have the feature",
                    "iolite vfio info BDF lists the features; for a dma-buf a kernel with"
                        + " CONFIG_VFIO_PCI_DMABUF and CONFIG_PCI_P2PDMA: "
                        + HostPlatform.OTHER_KERNEL);
            case EINVAL ->
                new Advice(
                    "the arguments do not fit the feature; for a dma-buf: an empty, unaligned or"
                        + " too long range, or a BAR that can not be shared",
                    "iolite vfio info BDF shows the BARs");
            case ENODEV ->
                new Advice(
                    "for a dma-buf: the region is no BAR, or its resources could not be claimed",
                    "iolite vfio info BDF shows the BARs");
            case EBUSY ->
                new Advice(
                    "a TSM has locked the interface, which lets nobody have its memory anew",
                    "unbind the interface first");
            case EOPNOTSUPP ->
                new Advice(
                    "the driver can not export this device's memory as a dma-buf",
                    "check CONFIG_VFIO_PCI_DMABUF and CONFIG_PCI_P2PDMA");
            default -> null;
          };
      case "VFIO_DEVICE_RESET" ->
          switch (errno) {
            case ENOTTY, EINVAL ->
                new Advice(
                    "the device can not be reset on its own",
                    "iolite vfio info BDF shows whether it can");
            case EAGAIN ->
                new Advice("the kernel is busy with the device", "try again a little later");
            default -> null;
          };
      case "VFIO_DEVICE_SET_IRQS" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "there is no such interrupt on the device, or another kind of interrupt is set"
                        + " up",
                    "iolite vfio info BDF lists the interrupts");
            case EBUSY ->
                new Advice("a TSM has locked the interface with its interrupts", "unbind it first");
            case ENOSPC ->
                new Advice("the host has too few interrupt vectors left", "ask for fewer vectors");
            case ENOTTY ->
                new Advice(
                    "this kind of interrupt does not have the action; only INTx can be masked",
                    "iolite vfio info BDF lists the interrupts");
            default -> null;
          };
      case "VFIO_DEVICE_GET_INFO" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the device is not bound to an iommufd", "bind it before everything else");
            default -> null;
          };
      case "VFIO_DEVICE_GET_REGION_INFO", "VFIO_DEVICE_GET_IRQ_INFO" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the device has no region or interrupt of this index, or is not bound",
                    "iolite vfio info BDF lists them");
            default -> null;
          };
      case "VFIO_DEVICE_DETACH_IOMMUFD_PT" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the device is not bound to an iommufd", "bind it before everything else");
            default -> null;
          };
      case "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", "VFIO_DEVICE_PCI_HOT_RESET" ->
          switch (errno) {
            case ENODEV ->
                new Advice(
                    "neither the slot nor the bus of the device can be reset",
                    "iolite vfio info BDF shows the resets that it has");
            case EINVAL, EPERM ->
                new Advice(
                    "the reset would meet devices that this process has not bound to the same"
                        + " iommufd",
                    "iolite vfio info BDF shows how many; bind all of them");
            default -> null;
          };
      default -> null;
    };
  }
}
