package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.pci.PciRegs;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A driver through which the host itself uses devices: it binds them, but does nothing with them.
 */
final class HostDriver implements PciDriver {
  private static final String NVME = "nvme";
  private static final int NVME_MAJOR = 251;

  /** block/genhd.c: BLOCK_EXT_MAJOR. */
  private static final int BLOCK_EXTENDED = 259;

  /** drivers/nvme/host/pci.c:nvme_driver, drivers/virtio/virtio_pci_common.c:virtio_pci_driver. */
  private static final Set<String> WITH_VIRTUAL_FUNCTIONS = Set.of(NVME, "virtio-pci");

  /** drivers/pci/pcie/portdrv.c:pcie_portdriver, drivers/pci/pci-stub.c:stub_driver. */
  private static final Set<String> WITHOUT_DMA = Set.of("pcieport", "pci-stub");

  private final String name;
  private final List<Integer> ids;
  private final Map<Bdf, List<HostNode>> nodes;
  private final HostNodes made;

  /**
   * Makes a driver.
   *
   * @param ids the devices that it drives, {@code vendor << 16 | device}
   * @param nodes the nodes that it makes for some of them
   * @param made receives the nodes that it makes
   */
  HostDriver(String name, List<Integer> ids, Map<Bdf, List<HostNode>> nodes, HostNodes made) {
    this.name = name;
    this.ids = List.copyOf(ids);
    this.nodes = nodes;
    this.made = made;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean matches(PciDev device) {
    return hasId(device.shape().vendor(), device.shape().device());
  }

  @Override
  public boolean hasId(int vendor, int device) {
    return ids.contains((vendor << 16) | device);
  }

  @Override
  public boolean isDmaManaged() {
    return WITHOUT_DMA.contains(name);
  }

  @Override
  public boolean configuresVirtualFunctions() {
    return WITH_VIRTUAL_FUNCTIONS.contains(name);
  }

  /** It drives no device that its table does not name, whatever driver_override says. */
  @Override
  public void probe(PciDev device) {
    refuseIf(!matches(device), Errno.ENODEV);
    refuseIf(name.equals(NVME) && isVirtual(device), Errno.ENODEV);
    device.enable();
    device.setMaster(true);
    if (device.msiXCapability() != 0 && usesMessages(device)) {
      device.allocateMessages(1, true);
    }
    made.add(device, nodes(device));
  }

  /** A driver that was recorded may have left messages off. */
  private static boolean usesMessages(PciDev device) {
    int flags = device.msiXCapability() + PciRegs.MSIX_FLAGS;
    return device
        .shape()
        .image()
        .map(image -> (image.read(flags, 2) & PciRegs.MSIX_ENABLE) != 0)
        .orElse(true);
  }

  /**
   * A VF of QEMU's nvme is a secondary controller that is offline until its PF brings it online, so
   * it never becomes ready (drivers/nvme/host/core.c:nvme_wait_ready).
   */
  private static boolean isVirtual(PciDev device) {
    return device.bus().physical(device.function()).isPresent();
  }

  private List<HostNode> nodes(PciDev device) {
    return name.equals(NVME) ? disk() : nodes.getOrDefault(device.address(), List.of());
  }

  /** The node of a controller's only disk; the driver waits for nobody. */
  private List<HostNode> disk() {
    int number = made.free(NVME);
    String controller = "nvme/nvme" + number;
    String disk = "nvme%dn1".formatted(number);
    return List.of(
        new HostNode(controller, NVME + number, NVME_MAJOR, number, false, false),
        new HostNode(controller + "/" + disk, disk, BLOCK_EXTENDED, number, true, false));
  }

  @Override
  public void remove(PciDev device, Runnable released) {
    made.remove(
        device,
        () -> {
          if (device.messages() != 0) {
            device.freeMessages();
          }
          device.disable();
          released.run();
        });
  }

  @Override
  public String toString() {
    return name;
  }
}
