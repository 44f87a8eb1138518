package dev.iolite.kernel;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_gfx_plane_info;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_device_ioeventfd;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_irq_set;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The ioctls of a VFIO device's character device, from {@code linux/vfio.h}. */
public final class VfioIoctls {
  /** What the device is: flags, number of regions and of interrupt kinds. */
  public static final Ioctl VFIO_DEVICE_GET_INFO =
      device("VFIO_DEVICE_GET_INFO", Vfio.VFIO_DEVICE_GET_INFO(), vfio_device_info.layout());

  /** Size, place and abilities of a region. */
  public static final Ioctl VFIO_DEVICE_GET_REGION_INFO =
      device(
          "VFIO_DEVICE_GET_REGION_INFO",
          Vfio.VFIO_DEVICE_GET_REGION_INFO(),
          vfio_region_info.layout());

  /** Number and abilities of the interrupts of a kind. */
  public static final Ioctl VFIO_DEVICE_GET_IRQ_INFO =
      device("VFIO_DEVICE_GET_IRQ_INFO", Vfio.VFIO_DEVICE_GET_IRQ_INFO(), vfio_irq_info.layout());

  /**
   * Connects interrupts to eventfds, masks, unmasks and triggers them. If the host has fewer
   * vectors than there are to be messages, it returns how many it has, and enables none.
   *
   * <p>drivers/vfio/pci/vfio_pci_intrs.c:vfio_msi_enable
   */
  public static final Ioctl VFIO_DEVICE_SET_IRQS =
      device("VFIO_DEVICE_SET_IRQS", Vfio.VFIO_DEVICE_SET_IRQS(), vfio_irq_set.layout())
          .notDoneIfPositive("vectors are all that the host has for it; none is enabled");

  /** Resets the device. */
  public static final Ioctl VFIO_DEVICE_RESET =
      Ioctl.plain(FdKind.VFIO_DEVICE, "VFIO_DEVICE_RESET", Vfio.VFIO_DEVICE_RESET());

  /** Which devices a reset of the slot or bus would reset too. */
  public static final Ioctl VFIO_DEVICE_GET_PCI_HOT_RESET_INFO =
      device(
          "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
          Vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO(),
          vfio_pci_hot_reset_info.layout());

  /** Resets the slot or bus. */
  public static final Ioctl VFIO_DEVICE_PCI_HOT_RESET =
      device(
          "VFIO_DEVICE_PCI_HOT_RESET",
          Vfio.VFIO_DEVICE_PCI_HOT_RESET(),
          vfio_pci_hot_reset.layout());

  /** What a graphics plane looks like. */
  public static final Ioctl VFIO_DEVICE_QUERY_GFX_PLANE =
      device(
          "VFIO_DEVICE_QUERY_GFX_PLANE",
          Vfio.VFIO_DEVICE_QUERY_GFX_PLANE(),
          vfio_device_gfx_plane_info.layout());

  /** The dma-buf of a graphics plane, chosen by the 32-bit id that the argument points to. */
  public static final Ioctl VFIO_DEVICE_GET_GFX_DMABUF =
      device(
              "VFIO_DEVICE_GET_GFX_DMABUF",
              Vfio.VFIO_DEVICE_GET_GFX_DMABUF(),
              ValueLayout.JAVA_INT.withName("dmabuf_id"))
          .returning(FdKind.DMA_BUF);

  /** Lets an eventfd write a value to a register. */
  public static final Ioctl VFIO_DEVICE_IOEVENTFD =
      device("VFIO_DEVICE_IOEVENTFD", Vfio.VFIO_DEVICE_IOEVENTFD(), vfio_device_ioeventfd.layout());

  /** Gets, sets or probes a feature, with the exception of {@link #VFIO_DEVICE_FEATURE_DMA_BUF}. */
  public static final Ioctl VFIO_DEVICE_FEATURE =
      device("VFIO_DEVICE_FEATURE", Vfio.VFIO_DEVICE_FEATURE(), vfio_device_feature.layout());

  /** The GET of the feature DMA_BUF: the same number, but it returns a descriptor. */
  public static final Ioctl VFIO_DEVICE_FEATURE_DMA_BUF =
      VFIO_DEVICE_FEATURE.returning(FdKind.DMA_BUF);

  /**
   * Binds the device to an iommufd. For Intel graphics whose configuration space can't be read it
   * returns the positive number of the PCI error, and does not bind.
   *
   * <p>drivers/vfio/pci/vfio_pci_igd.c:vfio_pci_igd_opregion_init
   */
  public static final Ioctl VFIO_DEVICE_BIND_IOMMUFD =
      device(
              "VFIO_DEVICE_BIND_IOMMUFD",
              Vfio.VFIO_DEVICE_BIND_IOMMUFD(),
              vfio_device_bind_iommufd.layout())
          .notDoneIfPositive("PCI's error for a read of configuration space; it is not bound");

  /** Attaches the device to an IOAS or a page table. */
  public static final Ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT =
      device(
          "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
          Vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT(),
          vfio_device_attach_iommufd_pt.layout());

  /** Detaches the device; its DMA is blocked then. */
  public static final Ioctl VFIO_DEVICE_DETACH_IOMMUFD_PT =
      device(
          "VFIO_DEVICE_DETACH_IOMMUFD_PT",
          Vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT(),
          vfio_device_detach_iommufd_pt.layout());

  private static final List<Ioctl> ALL =
      List.of(
          VFIO_DEVICE_GET_INFO,
          VFIO_DEVICE_GET_REGION_INFO,
          VFIO_DEVICE_GET_IRQ_INFO,
          VFIO_DEVICE_SET_IRQS,
          VFIO_DEVICE_RESET,
          VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
          VFIO_DEVICE_PCI_HOT_RESET,
          VFIO_DEVICE_QUERY_GFX_PLANE,
          VFIO_DEVICE_GET_GFX_DMABUF,
          VFIO_DEVICE_IOEVENTFD,
          VFIO_DEVICE_FEATURE,
          VFIO_DEVICE_BIND_IOMMUFD,
          VFIO_DEVICE_ATTACH_IOMMUFD_PT,
          VFIO_DEVICE_DETACH_IOMMUFD_PT);

  private VfioIoctls() {}

  /** All of them, each number once, in the order of their numbers. */
  public static List<Ioctl> all() {
    return ALL;
  }

  private static Ioctl device(String name, long number, MemoryLayout argument) {
    return Ioctl.of(FdKind.VFIO_DEVICE, name, number, argument);
  }
}
