package dev.iolite.mock.vfio;

import dev.iolite.mock.pci.PciBus;
import dev.iolite.mock.pci.PciDev;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** VFIO devices that are reset together (struct vfio_device_set). */
final class VfioDeviceSet {
  private final PciBus bus;
  private final List<VfioPciDevice> devices = new ArrayList<>();

  VfioDeviceSet(PciBus bus) {
    this.bus = bus;
  }

  void join(VfioPciDevice device) {
    devices.add(device);
  }

  void leave(VfioPciDevice device) {
    devices.remove(device);
  }

  boolean isEmpty() {
    return devices.isEmpty();
  }

  List<VfioPciDevice> devices() {
    return devices;
  }

  PciBus bus() {
    return bus;
  }

  /** vfio_find_device_in_devset. */
  Optional<VfioPciDevice> find(PciDev pci) {
    return devices.stream().filter(device -> device.pci() == pci).findFirst();
  }

  /** Whether a reset of the bus is possible at all: the root bus can't be reset. */
  boolean hasBusReset(VfioPciDevice device) {
    return bus.bridge(device.pci().function()).isPresent();
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_resettable. */
  boolean isResettable() {
    VfioPciDevice first = devices.getFirst();
    return hasBusReset(first)
        && bus.onBus(first.pci().function()).stream().allMatch(pci -> find(pci).isPresent());
  }

  /**
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_try_reset: makes a reset that waited until
   * all devices were closed. The one that is being closed still counts as open.
   */
  void tryReset() {
    boolean needed = devices.stream().anyMatch(device -> device.core().needsReset());
    int open = devices.stream().mapToInt(VfioPciDevice::openCount).sum();
    if (open <= 1 && needed && isResettable() && bus.resetBus(devices.getFirst().pci()) == 0) {
      devices.forEach(device -> device.core().setNeedsReset(false));
    }
  }
}
