package dev.iolite.vfio;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import java.util.List;
import java.util.Optional;

/**
 * A VFIO device that was opened through its group, by {@link VfioGroup#device}. Its DMA goes
 * through the container of the group.
 *
 * <p>Closing it closes its descriptor; the group stays. Not safe for use by several threads, except
 * for what {@link #region} returns.
 */
public final class GroupVfioDevice extends OpenVfioDevice {
  GroupVfioDevice(Fd fd, String name) {
    super(fd, name);
  }

  /**
   * Which devices a reset of the slot or bus would reset, by VFIO_DEVICE_GET_PCI_HOT_RESET_INFO. A
   * device that was opened through its group is told their groups. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_fill_devs.
   *
   * @return empty if such a reset is not possible (ENODEV)
   * @throws KernelException EPERM: one of the devices is in no IOMMU group
   */
  public Optional<HotResetGroups> hotResetGroups() {
    return HotResetCall.make(fd())
        .map(reply ->
            new HotResetGroups(
                reply.devices().stream()
                    .map(device -> new HotResetGroups.Dependent(device.bdf(), device.id()))
                    .toList()));
  }

  /**
   * Resets the device's slot or bus, with all its devices, by VFIO_DEVICE_PCI_HOT_RESET. The
   * mappings of all their BARs and all their dma-bufs are revoked while the reset lasts. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset_groups.
   *
   * @param groups all of {@link HotResetGroups#groups}, which this process has opened
   * @throws KernelException ENODEV: such a reset is not possible; EINVAL: no group, more groups
   *     than devices, a device of another group is open, or a device has no VFIO driver; EBUSY,
   *     EAGAIN: the kernel is using one of them. Dma-bufs may have been revoked all the same
   */
  public void hotReset(List<VfioGroup> groups) {
    HotResetCall.reset(fd(), groups);
  }

  @Override
  public void close() {
    fd().close();
  }
}
