package dev.iolite.differential;

import static dev.iolite.differential.Machine.descriptor;
import static dev.iolite.differential.Machine.name;

import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_device_ioeventfd;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/** The calls on a VFIO device. */
final class VfioCalls {
  private static final long NVME_CAP_HIGH = 4;

  /**
   * A controller may have no I/O command set, in the upper half of CAP. QEMU 7.2's says so and
   * 11.1's does not, whatever the machine's version, and no property decides it. It is the device's
   * answer, which the kernel only passes on.
   */
  private static final long NVME_CSS_NOIOCSS = 1L << 12;

  private static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX();
  private static final int COMMAND = 4;
  private static final long DMA_SOURCE = 0x80;
  private static final long DMA_DESTINATION = 0x88;
  private static final long DMA_COUNT = 0x90;
  private static final long DMA_COMMAND = 0x98;
  private static final long BUFFER = 0x40000;
  private static final long TO_MEMORY = 3;

  /** Where in the page: no register of edu is there, should its own page be what is reached. */
  private static final long AT = 0x800;

  private static final long DEADLINE = 30_000_000_000L;

  private final Machine machine;

  VfioCalls(Machine machine) {
    this.machine = machine;
  }

  String answer(Op op) {
    int device = machine.devices.get(op.arg(0));
    return switch (op.kind()) {
      case OPEN -> open((int) op.arg(0));
      case CLOSE -> machine.close(machine.devices, op.arg(0));
      case BIND -> bind(device);
      case ATTACH -> attach(device, machine.objects().get(op.arg(1)));
      case DETACH -> detach(device);
      case COMMAND -> name(write(device, CONFIG, COMMAND, 2, op.arg(1)));
      case EXPORT -> export(device, op);
      case CLOSE_BUF -> machine.close(machine.bufs, op.arg(0));
      case READ -> read(device, op);
      case RESET -> name(machine.ioctl(device, VfioIoctls.VFIO_DEVICE_RESET, 0));
      case REGION -> region(device, (int) op.arg(1));
      case DMA -> dma(device, op.arg(1));
      case LOW_POWER -> lowPower(device, (int) op.arg(1));
      case IOEVENTFD -> ioeventfd(device, op);
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private String open(int which) {
    int device = machine.keep(machine.openDevice(which));
    if (device >= 0) {
      machine.devices.add(device);
    }
    return descriptor(device);
  }

  private String bind(int device) {
    MemorySegment bind = machine.sized(vfio_device_bind_iommufd.layout());
    vfio_device_bind_iommufd.iommufd(bind, machine.iommufd());
    int result = machine.ioctl(device, VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD, bind);
    int id = vfio_device_bind_iommufd.out_devid(bind);
    if (result == 0) {
      machine.deviceIds().add(id);
      machine.objects().add(id);
    }
    return name(result) + " " + id;
  }

  private String attach(int device, int object) {
    MemorySegment attach = machine.sized(vfio_device_attach_iommufd_pt.layout());
    vfio_device_attach_iommufd_pt.pt_id(attach, object);
    int result = machine.ioctl(device, VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach);
    int id = vfio_device_attach_iommufd_pt.pt_id(attach);
    if (result == 0) {
      machine.objects().add(id);
    }
    return name(result) + " " + id;
  }

  private String detach(int device) {
    MemorySegment detach = machine.sized(vfio_device_detach_iommufd_pt.layout());
    return name(machine.ioctl(device, VfioIoctls.VFIO_DEVICE_DETACH_IOMMUFD_PT, detach));
  }

  static long offset(long region, long at) {
    return (region << 40) + at;
  }

  private long write(int device, int region, long at, int bytes, long data) {
    MemorySegment value = machine.zeros(8);
    value.set(ValueLayout.JAVA_LONG, 0, data);
    return machine.kernel().pwrite(device, value.address(), bytes, offset(region, at));
  }

  private String read(int device, Op op) {
    MemorySegment value = machine.zeros(8);
    long offset = offset(op.arg(1), op.arg(2));
    long result = machine.kernel().pread(device, value.address(), op.arg(3), offset);
    long read = value.get(ValueLayout.JAVA_LONG, 0);
    boolean isNvmeCapabilities = op.arg(1) == 0 && op.arg(2) == NVME_CAP_HIGH;
    return name(result)
        + " "
        + Long.toHexString(isNvmeCapabilities ? read & ~NVME_CSS_NOIOCSS : read);
  }

  private String export(int device, Op op) {
    int ranges = op.arg(6) == -2 ? 1 : 2;
    long head = 8 + vfio_device_feature_dma_buf.sizeof();
    long each = vfio_region_dma_range.sizeof();
    MemorySegment feature = machine.zeros(head + ranges * each);
    vfio_device_feature.argsz(feature, (int) feature.byteSize());
    vfio_device_feature.flags(
        feature, Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF());
    MemorySegment data = feature.asSlice(8);
    vfio_device_feature_dma_buf.region_index(data, (int) op.arg(2));
    vfio_device_feature_dma_buf.flags(data, (int) op.arg(1));
    vfio_device_feature_dma_buf.open_flags(data, Libc.O_RDWR() | Libc.O_CLOEXEC());
    vfio_device_feature_dma_buf.nr_ranges(data, ranges);
    for (int i = 0; i < ranges; i++) {
      MemorySegment range = feature.asSlice(head + i * each, each);
      vfio_region_dma_range.offset(range, op.arg(3 + 2 * i));
      vfio_region_dma_range.length(range, op.arg(4 + 2 * i));
    }
    int buf = machine.keep(machine.ioctl(device, VfioIoctls.VFIO_DEVICE_FEATURE, feature));
    if (buf < 0) {
      return name(buf);
    }
    machine.bufs.add(buf);
    return "fd " + machine.kernel().lseek(buf, 0, Libc.SEEK_END());
  }

  private String lowPower(int device, int feature) {
    MemorySegment set = machine.struct(vfio_device_feature.layout());
    vfio_device_feature.argsz(set, (int) set.byteSize());
    vfio_device_feature.flags(set, Vfio.VFIO_DEVICE_FEATURE_SET() | feature);
    return name(machine.ioctl(device, VfioIoctls.VFIO_DEVICE_FEATURE, set));
  }

  private String ioeventfd(int device, Op op) {
    MemorySegment set = machine.sized(vfio_device_ioeventfd.layout());
    vfio_device_ioeventfd.flags(set, (int) op.arg(3));
    vfio_device_ioeventfd.offset(set, offset(op.arg(1), op.arg(2)));
    vfio_device_ioeventfd.fd(set, machine.events.get(op.arg(4)));
    return name(machine.ioctl(device, VfioIoctls.VFIO_DEVICE_IOEVENTFD, set));
  }

  private String region(int device, int index) {
    MemorySegment info = machine.sized(vfio_region_info.layout());
    vfio_region_info.index(info, index);
    int result = machine.ioctl(device, VfioIoctls.VFIO_DEVICE_GET_REGION_INFO, info);
    return "%s %d %x %x %d %d"
        .formatted(
            name(result),
            vfio_region_info.argsz(info),
            vfio_region_info.flags(info),
            vfio_region_info.size(info),
            vfio_region_info.offset(info),
            vfio_region_info.cap_offset(info));
  }

  private String dma(int device, long iova) {
    long result = write(device, 0, DMA_SOURCE, 8, BUFFER);
    if (result < 0) {
      return name(result);
    }
    write(device, 0, DMA_DESTINATION, 8, iova + AT);
    write(device, 0, DMA_COUNT, 8, 8);
    write(device, 0, DMA_COMMAND, 8, TO_MEMORY);
    long deadline = System.nanoTime() + DEADLINE;
    MemorySegment value = machine.zeros(8);
    do {
      LockSupport.parkNanos(1_000_000);
      machine.kernel().pread(device, value.address(), 8, DMA_COMMAND);
    } while ((value.get(ValueLayout.JAVA_LONG, 0) & 1) != 0 && System.nanoTime() < deadline);
    return "at" + machine.arrived(AT);
  }
}
