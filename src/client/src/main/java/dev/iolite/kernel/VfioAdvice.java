package dev.iolite.kernel;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What usually causes an error of a call on a VFIO device. */
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
                    "bind every device of the group to vfio-pci, and use one iommufd; enable"
                        + " interrupt remapping in the firmware",
                    Remedy.SHOW_FUNCTION);
            case EBUSY ->
                new Advice(
                    "the IOMMU group is open by its own file, or the kernel has given it a page"
                        + " table already",
                    "fuser -v /dev/vfio/* shows who has it",
                    Remedy.SHOW_FUNCTION);
            case EACCES ->
                new Advice(
                    "a VF token is needed: of the device and its SR-IOV functions others are in"
                        + " use",
                    "give the token that their user has set",
                    Remedy.GIVE_TOKEN);
            case EAGAIN ->
                new Advice(
                    "the kernel resets or removes the device at the moment",
                    "try again a little later");
            case ENODEV ->
                new Advice(
                    "the device has no IOMMU group: there is no IOMMU, or it is off",
                    "enable the IOMMU in the firmware, and boot without switching it off",
                    Remedy.CHECK_HOST);
            default -> null;
          };
      case "VFIO_DEVICE_ATTACH_IOMMUFD_PT" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "what is mapped in the IOAS does not fit the device: an IOVA outside its"
                        + " window, a reserved range, or a file that can not be used for DMA",
                    "map only what IOMMU_IOAS_IOVA_RANGES allows",
                    Remedy.SHOW_IOVAS);
            case ENOENT ->
                new Advice(
                    "there is no such object in the iommufd that the device is bound to",
                    "attach to an IOAS of the same iommufd");
            case EBUSY ->
                new Advice(
                    "another device of the IOMMU group is attached to another object",
                    "attach all devices of the group to the same one",
                    Remedy.SHOW_FUNCTION);
            case ENOMEM, EFAULT, EPERM -> IommufdAdvice.mapped(errno);
            case ENOSPC, EADDRINUSE ->
                new Advice(
                    "a reserved range of the device overlaps what is mapped in the IOAS",
                    "map only what IOMMU_IOAS_IOVA_RANGES allows",
                    Remedy.SHOW_IOVAS);
            default -> null;
          };
      case "VFIO_DEVICE_FEATURE" ->
          switch (errno) {
            case ENOTTY ->
                new Advice(
                    "this kernel or device does not have the feature",
                    "PROBE the feature first; for a dma-buf a kernel with CONFIG_VFIO_PCI_DMABUF"
                        + " and CONFIG_PCI_P2PDMA: "
                        + HostPlatform.OTHER_KERNEL,
                    Remedy.SHOW_DEVICE);
            case EINVAL ->
                new Advice(
                    "the arguments do not fit the feature; for a dma-buf: an empty, unaligned or"
                        + " too long range, or a BAR that can not be shared",
                    "compare with the BAR's size (VFIO_DEVICE_GET_REGION_INFO)",
                    Remedy.SHOW_DEVICE);
            case ENODEV ->
                new Advice(
                    "for a dma-buf: the region is no BAR, or its resources could not be claimed",
                    "compare with the BAR's size (VFIO_DEVICE_GET_REGION_INFO)",
                    Remedy.SHOW_DEVICE);
            case E2BIG ->
                new Advice(
                    "there are more ranges to log than fit into a page",
                    "log fewer, larger ranges");
            case EOVERFLOW ->
                new Advice("a range ends beyond the address space", "end it one page earlier");
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
      case "VFIO_DEVICE_IOEVENTFD" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the register is not inside a BAR, or is part of the MSI-X table",
                    "compare with the BAR's size (VFIO_DEVICE_GET_REGION_INFO)",
                    Remedy.SHOW_DEVICE);
            case EEXIST ->
                new Advice(
                    "an eventfd does the same write already", "disconnect it, or use that one");
            case ENOSPC ->
                new Advice("the device has as many of them as it may have", "disconnect others");
            case ENODEV ->
                new Advice("no eventfd does this write", "give offset, width and value as before");
            default -> null;
          };
      case "VFIO_DEVICE_QUERY_GFX_PLANE", "VFIO_DEVICE_GET_GFX_DMABUF" ->
          switch (errno) {
            case ENOTTY ->
                new Advice(
                    "the device shows nothing: only mediated graphics devices do",
                    "use the device's own registers");
            case EINVAL ->
                new Advice(
                    "the device has no such plane or dma-buf, or its planes are reached otherwise",
                    "probe which way it has");
            default -> null;
          };
      case "VFIO_DEVICE_RESET" ->
          switch (errno) {
            case ENOTTY, EINVAL ->
                new Advice(
                    "the device can not be reset on its own",
                    "reset its slot or bus, if all devices there are yours",
                    Remedy.SHOW_DEVICE);
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
                    "compare with the kinds of interrupt that it has (VFIO_DEVICE_GET_IRQ_INFO)",
                    Remedy.SHOW_DEVICE);
            case EBUSY ->
                new Advice(
                    "another eventfd masks or unmasks the interrupt already, or a TSM has locked"
                        + " the interface with its interrupts",
                    "disconnect the other eventfd; unbind the interface");
            case ENOSPC ->
                new Advice("the host has too few interrupt vectors left", "ask for fewer vectors");
            case ENOTTY ->
                new Advice(
                    "this kind of interrupt does not have the action; only INTx can be masked",
                    "compare with the kinds of interrupt that it has (VFIO_DEVICE_GET_IRQ_INFO)",
                    Remedy.SHOW_DEVICE);
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
                    "VFIO_DEVICE_GET_INFO says how many it has",
                    Remedy.SHOW_DEVICE);
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
                    "reset the function on its own",
                    Remedy.SHOW_DEVICE);
            case EINVAL, EPERM ->
                new Advice(
                    "the reset would meet devices that this process has not bound to the same"
                        + " iommufd, or whose groups it was not given",
                    "bind all of them, or give all of their groups",
                    Remedy.SHOW_DEVICE);
            default -> null;
          };
      case "mmap" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the region can not be mapped: it is no memory BAR, smaller than a page, or the"
                        + " offset is not a multiple of the page size",
                    "map only regions that have VFIO_REGION_INFO_FLAG_MMAP",
                    Remedy.SHOW_DEVICE);
            case EBUSY, ENODEV -> notReserved();
            default -> FileAdvice.mapped(errno);
          };
      case "pread", "pwrite" ->
          switch (errno) {
            case EBUSY, ENODEV -> notReserved();
            case EINVAL ->
                new Advice(
                    "the device is not bound to an iommufd, or has no such region, or the offset is"
                        + " beyond its end",
                    "compare with the region's size (VFIO_DEVICE_GET_REGION_INFO)",
                    Remedy.SHOW_DEVICE);
            case EIO ->
                new Advice(
                    "the device's memory decode is off (PCI_COMMAND bit 1), or the device does not"
                        + " answer",
                    "switch memory decode on, or reset the device");
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice notReserved() {
    return new Advice(
        "vfio-pci could not reserve the BAR, which a host driver or the boot's framebuffer has; or"
            + " a TSM has locked the interface",
        "cat /proc/iomem as root shows who has the range",
        Remedy.SHOW_FUNCTION);
  }

  /** What is known about a result that is a number but not a success. */
  static Optional<Advice> ofNumber(String call) {
    return switch (call) {
      case "VFIO_DEVICE_SET_IRQS" ->
          Optional.of(
              new Advice(
                  "without interrupt remapping MSI has one vector, or the host's vectors are used"
                      + " up",
                  "connect no more eventfds than that; /proc/interrupts shows what uses the"
                      + " vectors"));
      case "VFIO_DEVICE_BIND_IOMMUFD" ->
          Optional.of(
              new Advice(
                  "the device has been pulled out, or does not answer",
                  "dmesg has the driver's reason",
                  Remedy.SHOW_FUNCTION));
      default -> Optional.empty();
    };
  }
}
