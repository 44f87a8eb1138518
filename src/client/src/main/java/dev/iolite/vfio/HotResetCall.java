package dev.iolite.vfio;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.vfio_pci_dependent_device;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Resets of a slot or bus. VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, unlike the other infos, fails with
 * ENOSPC and returns the number of devices in its count. See
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info.
 */
final class HotResetCall {
  /** Devices may appear while we ask, but not endlessly. */
  private static final int TRIES = 4;

  /** A bus cannot have more functions; with SR-IOV, the kernel counts those of several buses. */
  private static final int MAX_DEVICES = 1 << 16;

  private static final int SLOT_SHIFT = 3;
  private static final int FUNCTION_MASK = 7;

  private HotResetCall() {}

  static Optional<Reply> make(Fd fd) {
    var command = VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
    int room = 1;
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < TRIES; i++) {
        MemorySegment info =
            arena.allocate(
                vfio_pci_hot_reset_info.sizeof() + room * vfio_pci_dependent_device.sizeof(),
                Long.BYTES);
        vfio_pci_hot_reset_info.argsz(info, Math.toIntExact(info.byteSize()));
        int result = fd.ioctl(command, info, Errno.ENODEV, Errno.ENOSPC);
        if (result >= 0) {
          return Optional.of(decode(info, room));
        }
        if (result == Errno.ENODEV.negated()) {
          return Optional.empty();
        }
        int count = vfio_pci_hot_reset_info.count(info);
        if (count <= room || count > MAX_DEVICES) {
          throw fd.failed(command, info, result);
        }
        room = count;
      }
    }
    throw new MalformedReplyException(
        command.name(), "after " + TRIES + " tries it still wants more room than it asked for");
  }

  /**
   * Makes VFIO_DEVICE_PCI_HOT_RESET.
   *
   * @param groups whose devices the caller owns; none for a device that was opened by its own file
   */
  static void reset(Fd fd, List<VfioGroup> groups) {
    try (Arena arena = Arena.ofConfined()) {
      long fds = vfio_pci_hot_reset.group_fds$offset();
      MemorySegment reset =
          arena.allocate(fds + (long) groups.size() * Integer.BYTES, Integer.BYTES);
      vfio_pci_hot_reset.argsz(reset, Math.toIntExact(reset.byteSize()));
      vfio_pci_hot_reset.count(reset, groups.size());
      for (int i = 0; i < groups.size(); i++) {
        reset.set(
            ValueLayout.JAVA_INT, fds + (long) i * Integer.BYTES, groups.get(i).fd().number());
      }
      fd.ioctl(VfioIoctls.VFIO_DEVICE_PCI_HOT_RESET, reset);
    }
  }

  private static Reply decode(MemorySegment info, int room) {
    int count = vfio_pci_hot_reset_info.count(info);
    if (count < 0 || count > room) {
      throw new MalformedReplyException(
          VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO.name(),
          "it says that it filled in "
              + Integer.toUnsignedString(count)
              + " devices where there is room for "
              + room);
    }
    List<Entry> devices = new ArrayList<>();
    MemorySegment array = info.asSlice(vfio_pci_hot_reset_info.devices$offset());
    for (int i = 0; i < count; i++) {
      MemorySegment device = vfio_pci_dependent_device.asSlice(array, i);
      int devfn = Byte.toUnsignedInt(vfio_pci_dependent_device.devfn(device));
      devices.add(
          new Entry(
              String.format(
                  "%04x:%02x:%02x.%d",
                  Short.toUnsignedInt(vfio_pci_dependent_device.segment(device)),
                  Byte.toUnsignedInt(vfio_pci_dependent_device.bus(device)),
                  devfn >> SLOT_SHIFT,
                  devfn & FUNCTION_MASK),
              vfio_pci_dependent_device.devid(device)));
    }
    return new Reply(vfio_pci_hot_reset_info.flags(info), devices);
  }

  /** What came back. */
  record Reply(int flags, List<Entry> devices) {}

  /**
   * A device.
   *
   * @param bdf its address
   * @param id its id in an iommufd, or its IOMMU group: the kernel has one field for both
   */
  record Entry(String bdf, int id) {}
}
