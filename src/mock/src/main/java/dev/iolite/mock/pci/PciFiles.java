package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The files of sysfs that show the PCI bus: {@code /sys/bus/pci}, {@code /sys/devices/pci0000:00}
 * and {@code /sys/kernel/iommu_groups}.
 */
final class PciFiles {
  /** The name of the IOMMU if nothing is said about it. */
  static final String USUAL_IOMMU = "dmar0";

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
    for (Bdf root : bus.roots()) {
      tree.add(
          "/sys/devices/" + PciBus.root(root),
          Nodes.directory(() -> deviceFiles.ofBus(root.domain(), root.bus())));
    }
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
            group.reserved().stream().map(ReservedRegion::line).collect(Collectors.joining("\n"))),
        "type",
        Nodes.text(group.type()));
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

  /** The name of each IOMMU, and the directory of its registers. */
  private Map<String, Map<String, Node>> units() {
    Map<String, Map<String, Node>> units = new TreeMap<>();
    bus.iommus().forEach(unit -> units.put(unit.name(), registers(unit)));
    if (units.isEmpty() && !bus.groups().isEmpty()) {
      units.put(USUAL_IOMMU, Map.of());
    }
    return units;
  }

  /** drivers/iommu/intel/iommu.c:intel_iommu_attrs, drivers/iommu/amd/init.c:amd_iommu_attrs. */
  private static Map<String, Node> registers(IommuUnit unit) {
    return switch (unit.kind()) {
      case INTEL_VTD ->
          Map.of(
              "intel-iommu",
              Nodes.directory(
                  Map.of(
                      "cap", Nodes.text(Long.toHexString(unit.features())),
                      "ecap", Nodes.text(Long.toHexString(unit.moreFeatures())))));
      case AMD_VI ->
          Map.of(
              "amd-iommu",
              Nodes.directory(
                  Map.of(
                      "features",
                      Nodes.text("%x:%x".formatted(unit.features(), unit.moreFeatures())))));
    };
  }

  private Map<String, Node> iommuLinks() {
    Map<String, Node> links = new TreeMap<>();
    units()
        .keySet()
        .forEach(name -> links.put(name, Nodes.link("../../devices/virtual/iommu/" + name)));
    return links;
  }

  private Map<String, Node> iommus() {
    Map<String, Node> directories = new TreeMap<>();
    units()
        .forEach((name, registers) -> {
          Map<String, Node> files = new TreeMap<>(registers);
          files.put("subsystem", Nodes.link("../../../../class/iommu"));
          directories.put(name, Nodes.directory(files));
        });
    return directories;
  }

  /** What an attribute of a device that has been removed says (fs/kernfs/file.c). */
  static void requireRegistered(PciDev device) {
    if (!device.isRegistered()) {
      throw refused(Errno.ENODEV);
    }
  }
}
