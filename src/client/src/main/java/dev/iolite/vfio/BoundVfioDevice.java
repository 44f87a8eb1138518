package dev.iolite.vfio;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PageTableId;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A VFIO device that is bound to an iommufd and can be used.
 *
 * <p>Closing it detaches and unbinds the device. Close what was made from it (mappings, interrupts)
 * first: a mapping keeps the kernel's side of the device open. Not safe for use by several threads,
 * except for what {@link #region} returns.
 */
public final class BoundVfioDevice extends OpenVfioDevice {
  /** Stands for the device without a PASID, to the kernel too (IOMMU_NO_PASID). */
  static final int NO_PASID = 0;

  private final DeviceId deviceId;

  /** The attachments in force, by PASID. */
  private final Map<Integer, Integer> current = new HashMap<>();

  private int attachments;

  BoundVfioDevice(Fd fd, DeviceId deviceId, String name) {
    super(fd, name);
    this.deviceId = deviceId;
  }

  /** The device's id in the iommufd that it is bound to. */
  public DeviceId deviceId() {
    return deviceId;
  }

  /**
   * Attaches the device to an IOAS or a page table by VFIO_DEVICE_ATTACH_IOMMUFD_PT: from then on,
   * its DMA goes where the target says. A device that is already attached moves over; the earlier
   * attachment is then void, and closing it does nothing.
   *
   * @throws KernelException ENOENT: no such object in the bound iommufd; EINVAL: the page table
   *     does not fit the device or its IOMMU group, or what is mapped does not fit its address
   *     width; EADDRINUSE: something is mapped where the device has a reserved range; EBUSY: the
   *     device is being reset. See drivers/vfio/device_cdev.c:vfio_df_ioctl_attach_pt and
   *     drivers/iommu/iommufd/device.c:iommufd_device_change_pt
   */
  public Attachment attach(PageTableId target) {
    return attach(0, NO_PASID, target);
  }

  /**
   * Attaches a PASID of the device, like {@link #attach}: the DMA that carries this PASID goes
   * where the target says.
   *
   * @param pasid more than 0; the device must have PASIDs, and they must be on
   * @param target an IOAS, or a page table made for PASIDs
   * @throws KernelException as for {@link #attach}, and EOPNOTSUPP: the driver or the IOMMU has no
   *     PASIDs; EINVAL: the page table was not made for PASIDs. See
   *     drivers/vfio/iommufd.c:vfio_iommufd_physical_pasid_attach_ioas
   */
  public Attachment attachPasid(int pasid, PageTableId target) {
    return attach(Vfio.VFIO_DEVICE_ATTACH_PASID(), requirePasid(pasid), target);
  }

  private Attachment attach(int flags, int pasid, PageTableId target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attach = vfio_device_attach_iommufd_pt.allocate(arena);
      vfio_device_attach_iommufd_pt.argsz(attach, (int) attach.byteSize());
      vfio_device_attach_iommufd_pt.flags(attach, flags);
      vfio_device_attach_iommufd_pt.pt_id(attach, target.value());
      vfio_device_attach_iommufd_pt.pasid(attach, pasid);
      fd().ioctl(VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach);
      int used = vfio_device_attach_iommufd_pt.pt_id(attach);
      current.put(pasid, ++attachments);
      PageTableId pageTable = used == target.value() ? target : new HwptId(used);
      return new Attachment(this, pasid, attachments, pageTable);
    }
  }

  /**
   * Detaches the device by VFIO_DEVICE_DETACH_IOMMUFD_PT; its DMA is then blocked. Does no harm if
   * it is not attached. See drivers/vfio/device_cdev.c:vfio_df_ioctl_detach_pt.
   */
  public void detach() {
    detach(0, NO_PASID);
  }

  /**
   * Detaches a PASID of the device, like {@link #detach}.
   *
   * @throws KernelException EOPNOTSUPP: the driver has no PASIDs
   */
  public void detachPasid(int pasid) {
    detach(Vfio.VFIO_DEVICE_DETACH_PASID(), requirePasid(pasid));
  }

  private static int requirePasid(int pasid) {
    if (pasid <= NO_PASID) {
      throw new IllegalArgumentException("PASID " + pasid + " is none; they begin with 1");
    }
    return pasid;
  }

  private void detach(int flags, int pasid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment detach = vfio_device_detach_iommufd_pt.allocate(arena);
      vfio_device_detach_iommufd_pt.argsz(detach, (int) detach.byteSize());
      vfio_device_detach_iommufd_pt.flags(detach, flags);
      vfio_device_detach_iommufd_pt.pasid(detach, pasid);
      fd().ioctl(VfioIoctls.VFIO_DEVICE_DETACH_IOMMUFD_PT, detach);
      current.remove(pasid);
    }
  }

  /** Detaches if this attachment is the one in force. */
  void detachIfCurrent(int pasid, int attachment) {
    if (current.getOrDefault(pasid, 0) == attachment && !fd().isClosed()) {
      detach(pasid == NO_PASID ? 0 : Vfio.VFIO_DEVICE_DETACH_PASID(), pasid);
    }
  }

  /**
   * Which devices a reset of the slot or bus would reset, by VFIO_DEVICE_GET_PCI_HOT_RESET_INFO.
   * See drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info.
   *
   * @return empty if such a reset is not possible (ENODEV)
   * @throws KernelException any other errno
   */
  public Optional<HotResetInfo> hotResetInfo() {
    return HotResetCall.make(fd())
        .map(reply ->
            new HotResetInfo(
                reply.flags(),
                reply.devices().stream()
                    .map(device -> new HotResetInfo.Dependent(device.bdf(), device.id()))
                    .toList()));
  }

  /**
   * Resets the device's slot or bus, with all its devices, by VFIO_DEVICE_PCI_HOT_RESET. The
   * mappings of all their BARs and all their dma-bufs are revoked while the reset lasts. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset.
   *
   * @throws KernelException ENODEV: such a reset is not possible; EINVAL: not all of its devices
   *     belong to the iommufd of this one, see {@link HotResetInfo#requireAllOwned}; EBUSY, EAGAIN:
   *     the kernel is using one of them. Dma-bufs may have been revoked all the same
   */
  public void hotReset() {
    HotResetCall.reset(fd(), List.of());
  }

  /** Detaches and unbinds the device, and closes its descriptor. */
  @Override
  public void close() {
    fd().close();
  }
}
