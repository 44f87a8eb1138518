package dev.iolite.iommufd;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PageTableId;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The lab's edu device, bound to an iommufd: only as much of VFIO as the tests of iommufd need,
 * made without the vfio package, which iommufd must not know.
 */
final class LabDevice implements AutoCloseable {
  static final long BAR_BYTES = 1 << 20;

  private static final String PCI = "/sys/bus/pci/devices/0000:00:02.0";
  private static final long CONFIG = (long) Vfio.VFIO_PCI_CONFIG_REGION_INDEX() << 40;
  private static final int PCI_COMMAND = 4;
  private static final short MEMORY_AND_BUS_MASTER = 6;

  private static final Ioctl BIND =
      Ioctl.of(
          FdKind.VFIO_DEVICE,
          "VFIO_DEVICE_BIND_IOMMUFD",
          Vfio.VFIO_DEVICE_BIND_IOMMUFD(),
          vfio_device_bind_iommufd.layout());
  private static final Ioctl ATTACH =
      Ioctl.of(
          FdKind.VFIO_DEVICE,
          "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
          Vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT(),
          vfio_device_attach_iommufd_pt.layout());
  private static final Ioctl DETACH =
      Ioctl.of(
          FdKind.VFIO_DEVICE,
          "VFIO_DEVICE_DETACH_IOMMUFD_PT",
          Vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT(),
          vfio_device_detach_iommufd_pt.layout());
  private static final Ioctl FEATURE =
      Ioctl.of(
              FdKind.VFIO_DEVICE,
              "VFIO_DEVICE_FEATURE",
              Vfio.VFIO_DEVICE_FEATURE(),
              vfio_device_feature.layout())
          .returning(FdKind.DMA_BUF);

  private final CloseStack open = new CloseStack();
  private final Fd fd;
  private final DeviceId id;

  LabDevice(Kernel kernel, Iommufd iommufd) {
    SysFs sys = new SysFs(kernel);
    try {
      sys.write(PCI + "/driver_override", "vfio-pci");
      open.onClose(() -> sys.write(PCI + "/driver_override", "\n"));
      sys.write("/sys/bus/pci/drivers_probe", "0000:00:02.0");
      open.onClose(() -> sys.write(PCI + "/driver/unbind", "0000:00:02.0"));
      fd = open.push(Fd.open(kernel, FdKind.VFIO_DEVICE, cdev(kernel), Libc.O_RDWR()));
      id = bind(iommufd);
    } catch (RuntimeException e) {
      open.close();
      throw e;
    }
  }

  /** Where a driver that is vfio-pci already has put the device's file. */
  static String cdev(Kernel kernel) {
    return "/dev/vfio/devices/" + new SysFs(kernel).list(PCI + "/vfio-dev").getFirst();
  }

  /** Opens and binds a device that is with vfio-pci already. */
  private LabDevice(Iommufd iommufd, Fd cdev) {
    fd = open.push(cdev);
    id = bind(iommufd);
  }

  static LabDevice opened(Kernel kernel, Iommufd iommufd, String cdev) {
    return new LabDevice(iommufd, Fd.open(kernel, FdKind.VFIO_DEVICE, cdev, Libc.O_RDWR()));
  }

  private DeviceId bind(Iommufd iommufd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bind = vfio_device_bind_iommufd.allocate(arena);
      vfio_device_bind_iommufd.argsz(bind, (int) vfio_device_bind_iommufd.sizeof());
      vfio_device_bind_iommufd.iommufd(bind, iommufd.fd().number());
      fd.ioctl(BIND, bind);
      return new DeviceId(vfio_device_bind_iommufd.out_devid(bind));
    }
  }

  DeviceId id() {
    return id;
  }

  void attach(PageTableId table) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attach = vfio_device_attach_iommufd_pt.allocate(arena);
      vfio_device_attach_iommufd_pt.argsz(attach, (int) vfio_device_attach_iommufd_pt.sizeof());
      vfio_device_attach_iommufd_pt.pt_id(attach, table.value());
      fd.ioctl(ATTACH, attach);
    }
  }

  void detach() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment detach = vfio_device_detach_iommufd_pt.allocate(arena);
      vfio_device_detach_iommufd_pt.argsz(detach, (int) vfio_device_detach_iommufd_pt.sizeof());
      fd.ioctl(DETACH, detach);
    }
  }

  /** Switches memory decode and bus mastering on or off. */
  void enable(boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      fd.pwrite(
          arena.allocateFrom(ValueLayout.JAVA_SHORT, on ? MEMORY_AND_BUS_MASTER : 0),
          CONFIG + PCI_COMMAND);
    }
  }

  /** A dma-buf of all of BAR 0, in so many ranges. */
  Fd dmaBuf(int ranges) {
    try (Arena arena = Arena.ofConfined()) {
      long head = vfio_device_feature.sizeof();
      long list = head + vfio_device_feature_dma_buf.sizeof();
      long bytes = list + ranges * vfio_region_dma_range.sizeof();
      MemorySegment feature = arena.allocate(bytes, Long.BYTES);
      vfio_device_feature.argsz(feature, (int) bytes);
      vfio_device_feature.flags(
          feature, Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF());
      MemorySegment body = feature.asSlice(head);
      vfio_device_feature_dma_buf.region_index(body, Vfio.VFIO_PCI_BAR0_REGION_INDEX());
      vfio_device_feature_dma_buf.open_flags(body, Libc.O_RDWR() | Libc.O_CLOEXEC());
      vfio_device_feature_dma_buf.nr_ranges(body, ranges);
      for (int i = 0; i < ranges; i++) {
        MemorySegment range = vfio_region_dma_range.asSlice(feature.asSlice(list), i);
        vfio_region_dma_range.offset(range, i * (BAR_BYTES / ranges));
        vfio_region_dma_range.length(range, BAR_BYTES / ranges);
      }
      return fd.ioctlFd(FEATURE, feature, "edu BAR0");
    }
  }

  @Override
  public void close() {
    open.close();
  }
}
