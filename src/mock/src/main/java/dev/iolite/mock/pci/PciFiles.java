package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files of sysfs that show the PCI bus: {@code /sys/bus/pci}, {@code /sys/devices/pci0000:00}
 * and {@code /sys/kernel/iommu_groups}.
 */
final class PciFiles {
  private static final String INTERRUPTS = "0x00000000fee00000 0x00000000feefffff msi";

  private final PciBus bus;
  private final DeviceFiles deviceFiles;
  private boolean autoprobe = true;

  PciFiles(PciBus bus, Task task) {
    this.bus = bus;
    deviceFiles = new DeviceFiles(bus, task);
  }

  void addTo(Tree tree) {
    tree.add("/sys/bus/pci/devices", Nodes.directory(this::deviceLinks));
    tree.add("/sys/bus/pci/drivers", Nodes.directory(this::drivers));
    tree.add("/sys/bus/pci/drivers_probe", Nodes.command(bus::probeDrivers));
    tree.add("/sys/bus/pci/drivers_autoprobe", Nodes.text(() -> autoprobe ? "1" : "0"));
    tree.add(
        "/sys/bus/pci/rescan",
        Nodes.command(text -> {
          if (DeviceFiles.number(text) != 0) {
            bus.rescan();
          }
        }));
    tree.add("/sys/devices/pci0000:00", Nodes.directory(() -> deviceFiles.ofBus(0)));
    tree.add("/sys/kernel/iommu_groups", Nodes.directory(this::groups));
    tree.add("/sys/class/iommu", Nodes.directory(this::iommuLinks));
    tree.add("/sys/devices/virtual/iommu", Nodes.directory(this::iommus));
  }

  private Map<String, Node> deviceLinks() {
    Map<String, Node> links = new TreeMap<>();
    for (PciDev device : bus.devices()) {
      links.put(device.toString(), Nodes.link("../../../" + device.path()));
    }
    return links;
  }

  private Map<String, Node> drivers() {
    Map<String, Node> directories = new TreeMap<>();
    for (PciDriver driver : bus.drivers()) {
      directories.put(driver.name(), Nodes.directory(() -> driver(driver)));
    }
    return directories;
  }

  private Map<String, Node> driver(PciDriver driver) {
    Map<String, Node> files = new TreeMap<>();
    files.put("bind", Nodes.command(name -> bus.bind(driver, name)));
    files.put("unbind", Nodes.command(name -> bus.unbind(driver, name)));
    files.put("new_id", Nodes.command(text -> bus.addId(driver, text)));
    files.put("remove_id", Nodes.command(text -> bus.removeId(driver, text)));
    for (PciDev device : bus.devices()) {
      if (device.driver().equals(Optional.of(driver)) && !device.isReleasing()) {
        files.put(device.toString(), Nodes.link("../../../../" + device.path()));
      }
    }
    return files;
  }

  private Map<String, Node> groups() {
    Map<String, Node> directories = new TreeMap<>();
    for (IommuDeviceGroup group : bus.groups()) {
      if (!group.devices().isEmpty()) {
        directories.put(Integer.toString(group.id()), Nodes.directory(() -> group(group)));
      }
    }
    return directories;
  }

  private Map<String, Node> group(IommuDeviceGroup group) {
    return Map.of(
        "devices",
        Nodes.directory(() -> members(group, "../../../../")),
        "reserved_regions",
        Nodes.text(() ->
            String.join(
                "\n", Stream.concat(group.direct().stream(), Stream.of(INTERRUPTS)).toList())),
        "type",
        Nodes.text("DMA"));
  }

  private Map<String, Node> members(IommuDeviceGroup group, String up) {
    Map<String, Node> links = new TreeMap<>();
    for (PciDev device : bus.devices()) {
      if (device.function().group().equals(Optional.of(group))) {
        links.put(device.toString(), Nodes.link(up + device.path()));
      }
    }
    return links;
  }

  private Map<String, Node> iommuLinks() {
    return bus.groups().isEmpty()
        ? Map.of()
        : Map.of("dmar0", Nodes.link("../../devices/virtual/iommu/dmar0"));
  }

  private Map<String, Node> iommus() {
    return bus.groups().isEmpty()
        ? Map.of()
        : Map.of(
            "dmar0", Nodes.directory(Map.of("subsystem", Nodes.link("../../../../class/iommu"))));
  }

  /** What an attribute of a device that has been removed says (fs/kernfs/file.c). */
  static void requireRegistered(PciDev device) {
    if (!device.isRegistered()) {
      throw refused(Errno.ENODEV);
    }
  }
}
