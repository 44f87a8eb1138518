package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;

/** The commands of a bound device (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl). */
final class DeviceIoctls {
  private static final int GET_INFO = Vfio.VFIO_DEVICE_GET_INFO();
  private static final int GET_REGION_INFO = Vfio.VFIO_DEVICE_GET_REGION_INFO();
  private static final int GET_IRQ_INFO = Vfio.VFIO_DEVICE_GET_IRQ_INFO();
  private static final int SET_IRQS = Vfio.VFIO_DEVICE_SET_IRQS();
  private static final int RESET = Vfio.VFIO_DEVICE_RESET();
  private static final int HOT_RESET_INFO = Vfio.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO();
  private static final int HOT_RESET = Vfio.VFIO_DEVICE_PCI_HOT_RESET();
  private static final int IOEVENTFD = Vfio.VFIO_DEVICE_IOEVENTFD();
  private static final int FEATURE = Vfio.VFIO_DEVICE_FEATURE();

  private static final long INFO_LEAST = vfio_device_info.num_irqs$offset() + Integer.BYTES;
  private static final long REGION_LEAST = vfio_region_info.offset$offset() + Long.BYTES;
  private static final long CAPABILITY_BYTES = vfio_info_cap_header.sizeof();
  private static final int READ_WRITE =
      Vfio.VFIO_REGION_INFO_FLAG_READ() | Vfio.VFIO_REGION_INFO_FLAG_WRITE();

  private final Task task;
  private final VfioPciCore core;
  private final IrqIoctls irqs;
  private final Features features;
  private final HotReset hotReset;

  DeviceIoctls(Task task, VfioPciDevice device) {
    this.task = task;
    core = device.core();
    irqs = new IrqIoctls(task, core);
    features = new Features(task, core);
    hotReset = new HotReset(task, device);
  }

  int ioctl(int request, long argument) {
    if (request == FEATURE) {
      return features.ioctl(argument);
    } else if (request == GET_REGION_INFO) {
      return regionInfo(argument);
    } else if (request == GET_INFO) {
      return info(argument);
    } else if (request == GET_IRQ_INFO) {
      return irqs.info(argument);
    } else if (request == SET_IRQS) {
      return irqs.set(argument);
    } else if (request == RESET) {
      return core.reset();
    } else if (request == HOT_RESET_INFO) {
      return hotReset.info(argument);
    } else if (request == HOT_RESET) {
      return hotReset.reset(argument);
    } else if (request == IOEVENTFD) {
      return core.ioEventFds().ioctl(argument);
    }
    return core.device().calls().ioctl(core.device(), request, argument);
  }

  /** vfio_pci_ioctl_get_info; without the capabilities of s390 and of atomics. */
  private int info(long address) {
    MemorySegment head = UserStructs.head(task, address, INFO_LEAST);
    int argsz = vfio_device_info.argsz(head);
    MemorySegment info = task.scratch(vfio_device_info.sizeof());
    vfio_device_info.argsz(info, argsz);
    vfio_device_info.flags(
        info,
        Vfio.VFIO_DEVICE_FLAGS_PCI() | (core.resetWorks() ? Vfio.VFIO_DEVICE_FLAGS_RESET() : 0));
    vfio_device_info.num_regions(info, Vfio.VFIO_PCI_NUM_REGIONS());
    vfio_device_info.num_irqs(info, Vfio.VFIO_PCI_NUM_IRQS());
    long bytes = Math.min(Integer.toUnsignedLong(argsz), info.byteSize());
    task.out(address, info.asSlice(0, bytes));
    return 0;
  }

  /** vfio_main.c:vfio_get_region_info and vfio_pci_ioctl_get_region_info. */
  private int regionInfo(long address) {
    MemorySegment info = UserStructs.head(task, address, REGION_LEAST);
    int index = vfio_region_info.index(info);
    refuseIf(Integer.compareUnsigned(index, Vfio.VFIO_PCI_CONFIG_REGION_INDEX()) > 0, Errno.EINVAL);
    vfio_region_info.offset(info, (long) index << Regions.OFFSET_SHIFT);
    int capability = 0;
    if (index == Vfio.VFIO_PCI_CONFIG_REGION_INDEX()) {
      vfio_region_info.size(info, core.pci().function().configBytes());
      vfio_region_info.flags(info, READ_WRITE);
    } else if (index == PciDev.ROM) {
      IoResource rom = core.pci().resource(index);
      boolean readable =
          rom.isPresent()
              && core.pci().function().rom().isPresent()
              && core.pci().vfioSeen().map(seen -> seen.hasRegion(index)).orElse(true);
      vfio_region_info.size(info, readable ? rom.bytes() : 0);
      vfio_region_info.flags(info, readable ? Vfio.VFIO_REGION_INFO_FLAG_READ() : 0);
    } else {
      IoResource bar = core.pci().resource(index);
      boolean maps = core.canMap(index);
      vfio_region_info.size(info, bar.bytes());
      vfio_region_info.flags(
          info,
          (bar.isPresent() ? READ_WRITE : 0) | (maps ? Vfio.VFIO_REGION_INFO_FLAG_MMAP() : 0));
      capability = maps && index == core.msixBar() ? Vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE() : 0;
    }
    if (capability != 0) {
      addCapability(address, info, capability);
    }
    task.out(address, info);
    return 0;
  }

  /** A capability that is only a header, if the caller has room for it. */
  private void addCapability(long address, MemorySegment info, int id) {
    vfio_region_info.flags(info, vfio_region_info.flags(info) | Vfio.VFIO_REGION_INFO_FLAG_CAPS());
    long end = vfio_region_info.sizeof();
    if (Integer.toUnsignedLong(vfio_region_info.argsz(info)) < end + CAPABILITY_BYTES) {
      vfio_region_info.argsz(info, (int) (end + CAPABILITY_BYTES));
      vfio_region_info.cap_offset(info, 0);
    } else {
      MemorySegment header = task.scratch(CAPABILITY_BYTES);
      vfio_info_cap_header.id(header, (short) id);
      vfio_info_cap_header.version(header, (short) 1);
      task.out(address + end, header);
      vfio_region_info.cap_offset(info, (int) end);
    }
  }
}
