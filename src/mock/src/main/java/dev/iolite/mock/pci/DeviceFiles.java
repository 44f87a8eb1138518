package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Attribute;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.pci.PciRegs;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** A PCI device's directory in sysfs (drivers/pci/pci-sysfs.c). */
final class DeviceFiles {
  private static final int LONGEST_OVERRIDE = 4094;

  /** PCI_BRIDGE_RESOURCES and DEVICE_COUNT_RESOURCE, with CONFIG_PCI_IOV. */
  private static final int RESOURCES = 13;

  private static final int RESOURCES_OF_BRIDGE = 17;

  private final PciBus bus;
  private final Task task;
  private final Map<PciDev, Map<String, Node>> fixed = new HashMap<>();

  DeviceFiles(PciBus bus, Task task) {
    this.bus = bus;
    this.task = task;
  }

  /** The way up from a device's directory to {@code /sys}. */
  private String up(PciDev device) {
    return "../".repeat((int) device.path().chars().filter(c -> c == '/').count() + 1);
  }

  /** The directories of the devices of a bus. */
  Map<String, Node> ofBus(int domain, int number) {
    fixed.keySet().removeIf(device -> !device.isRegistered());
    Map<String, Node> directories = new TreeMap<>();
    for (PciDev device : bus.devicesOf(domain, number)) {
      directories.put(device.toString(), Nodes.directory(() -> files(device)));
    }
    return directories;
  }

  private Map<String, Node> files(PciDev device) {
    Map<String, Node> files = new TreeMap<>(fixed.computeIfAbsent(device, this::fixedFiles));
    device
        .driver()
        .filter(_ -> !device.isReleasing())
        .ifPresent(driver ->
            files.put("driver", Nodes.link(up(device) + "bus/pci/drivers/" + driver.name())));
    device
        .shape()
        .secondaryBus()
        .ifPresent(below -> files.putAll(ofBus(device.address().domain(), below)));
    bus.virtualFunctions(device.function())
        .ifPresent(all -> {
          for (int i = 0; i < all.count(); i++) {
            files.put("virtfn" + i, Nodes.link("../" + all.all().get(i).address()));
          }
        });
    bus.physical(device.function())
        .ifPresent(physical -> files.put("physfn", Nodes.link("../" + physical.address())));
    files.putAll(device.files());
    files.putAll(bus.followersFiles(device));
    return files;
  }

  private Map<String, Node> fixedFiles(PciDev device) {
    DeviceShape shape = device.shape();
    Map<String, Node> files = new TreeMap<>();
    files.put("vendor", number(device, shape.vendor(), 4));
    files.put("device", number(device, shape.device(), 4));
    files.put("subsystem_vendor", number(device, shape.subsystemVendor(), 4));
    files.put("subsystem_device", number(device, shape.subsystemDevice(), 4));
    files.put("class", number(device, shape.classCode(), 6));
    files.put("revision", number(device, shape.revision(), 2));
    files.put("irq", readable(device, () -> Integer.toString(device.irq())));
    files.put("power_state", readable(device, () -> powerName(device.power())));
    files.put("resource", readable(device, () -> resources(device)));
    files.put("modalias", readable(device, () -> modalias(shape)));
    files.put("uevent", readable(device, () -> uevent(device)));
    files.put(
        "enable",
        readWrite(
            device, () -> Integer.toString(device.enableCount()), text -> enable(device, text)));
    files.put(
        "driver_override",
        readWrite(
            device,
            () -> device.driverOverride().orElse("(null)"),
            text -> override(device, text)));
    // pci_dev_reset_attr_is_visible, asked once: they stay when no method is left.
    if (device.hasReset()) {
      files.put("reset", writable(device, text -> reset(device, text)));
      files.put("reset_method", raw(device, () -> resetMethods(device), device::setResetMethods));
    }
    files.put("remove", writable(device, text -> remove(device, text)));
    files.put(
        "rescan",
        writable(
            device,
            text -> {
              if (number(text) != 0) {
                bus.rescan();
              }
            }));
    // pci_bridge_attrs_are_visible
    shape
        .secondaryBus()
        .ifPresent(below -> {
          files.put("secondary_bus_number", readable(device, () -> Integer.toString(below)));
          files.put("subordinate_bus_number", readable(device, () -> subordinate(device)));
        });
    bus.virtualFunctions(device.function())
        .ifPresent(all -> files.putAll(physicalFiles(device, all)));
    files.put("subsystem", Nodes.link(up(device) + "bus/pci"));
    files.put(
        "config",
        new Node.Binary(() -> new ConfigFile(task, device), device.function().configBytes()));
    device
        .function()
        .group()
        .ifPresent(group -> {
          files.put("iommu_group", Nodes.link(up(device) + "kernel/iommu_groups/" + group.id()));
          String unit = device.placement().flatMap(Placement::iommu).orElse(PciFiles.USUAL_IOMMU);
          files.put("iommu", Nodes.link(up(device) + "devices/virtual/iommu/" + unit));
        });
    device
        .placement()
        .ifPresent(seen ->
            seen.attributes()
                .forEach((name, text) -> files.put(name, readable(device, () -> text))));
    return files;
  }

  private static String subordinate(PciDev device) {
    return Integer.toString(device.function().configRead(PciRegs.BRIDGE_BUSES + 2, 1));
  }

  /** drivers/pci/iov.c:sriov_pf_dev_attrs. */
  private Map<String, Node> physicalFiles(PciDev device, VirtualFunctions all) {
    return Map.of(
        "sriov_totalvfs",
        readable(device, () -> Integer.toString(all.all().size())),
        "sriov_numvfs",
        readWrite(
            device,
            () -> bus.virtualFunctionsText(device),
            text -> bus.setVirtualFunctions(device, text)),
        "sriov_offset",
        readable(device, () -> Integer.toString(all.offset())),
        "sriov_stride",
        readable(device, () -> Integer.toString(all.stride())));
  }

  private static Node readable(PciDev device, Supplier<String> text) {
    return Nodes.text(() -> {
      PciFiles.requireRegistered(device);
      return text.get();
    });
  }

  private static Node writable(PciDev device, Consumer<String> store) {
    return Nodes.command(text -> {
      PciFiles.requireRegistered(device);
      store.accept(text);
    });
  }

  private static Node readWrite(PciDev device, Supplier<String> text, Consumer<String> store) {
    return raw(device, () -> text.get() + "\n", store);
  }

  private static Node raw(PciDev device, Supplier<String> text, Consumer<String> store) {
    return new Node.Text(
        new Attribute(
            Optional.of(() -> {
              PciFiles.requireRegistered(device);
              return text.get().getBytes(StandardCharsets.UTF_8);
            }),
            Optional.of(written -> {
              PciFiles.requireRegistered(device);
              store.accept(written);
            })));
  }

  private static Node number(PciDev device, int value, int digits) {
    String text = "0x" + ("%0" + digits + "x").formatted(value);
    return readable(device, () -> text);
  }

  /**
   * lib/kstrtox.c:kstrtoul with base 0.
   *
   * @throws Refused EINVAL
   */
  static long number(String text) {
    try {
      String digits = text.startsWith("+") ? text.substring(1) : text;
      refuseIf(digits.startsWith("-") || digits.startsWith("#"), Errno.EINVAL);
      return Long.decode(digits);
    } catch (NumberFormatException e) {
      throw refused(Errno.EINVAL);
    }
  }

  private static String powerName(int state) {
    return state == PciDev.D3_HOT ? "D3hot" : state == PciDev.D3_COLD ? "D3cold" : "D" + state;
  }

  /** drivers/pci/pci-sysfs.c:resource_show. */
  private static String resources(PciDev device) {
    StringBuilder lines = new StringBuilder();
    int count = device.shape().secondaryBus().isPresent() ? RESOURCES_OF_BRIDGE : RESOURCES;
    for (int i = 0; i < count; i++) {
      int index = i;
      IoResource resource =
          i <= PciDev.ROM
              ? device.resource(i)
              : device.placement().map(seen -> seen.resource(index)).orElse(IoResource.NONE);
      lines.append(i == 0 ? "" : "\n").append(resource.line());
    }
    return lines.toString();
  }

  private static String modalias(DeviceShape shape) {
    return "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X"
        .formatted(
            shape.vendor(),
            shape.device(),
            shape.subsystemVendor(),
            shape.subsystemDevice(),
            shape.classCode() >> 16,
            (shape.classCode() >> 8) & 0xff,
            shape.classCode() & 0xff);
  }

  private static String uevent(PciDev device) {
    DeviceShape shape = device.shape();
    return device.driver().map(driver -> "DRIVER=" + driver.name() + "\n").orElse("")
        + "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=%s"
            .formatted(
                shape.classCode(),
                shape.vendor(),
                shape.device(),
                shape.subsystemVendor(),
                shape.subsystemDevice(),
                device,
                modalias(shape));
  }

  /** drivers/base/dd.c:__device_set_driver_override. */
  private static void override(PciDev device, String text) {
    refuseIf(text.length() > LONGEST_OVERRIDE, Errno.EINVAL);
    String name = text.lines().findFirst().orElse("");
    device.setDriverOverride(name.isEmpty() ? Optional.empty() : Optional.of(name));
  }

  /** drivers/pci/pci-sysfs.c:enable_store. */
  private static void enable(PciDev device, String text) {
    long value = number(text);
    refuseIf(device.driver().isPresent(), Errno.EBUSY);
    if (value != 0) {
      device.enable();
    } else {
      refuseIf(device.enableCount() == 0, Errno.EIO);
      device.disable();
    }
  }

  /** drivers/pci/pci-sysfs.c:remove_store. */
  private void remove(PciDev device, String text) {
    if (number(text) != 0) {
      bus.remove(device);
    }
  }

  /** drivers/pci/pci-sysfs.c:reset_store. */
  private void reset(PciDev device, String text) {
    refuseIf(number(text) != 1, Errno.EINVAL);
    refuseIf(!device.hasReset(), Errno.ENOTTY);
    task.awaitUninterrupted(() -> !device.isLocked());
    device.driver().ifPresent(driver -> driver.resume(device));
    int result = device.reset();
    refuseIf(result < 0, Errno.of(-result));
  }

  private static String resetMethods(PciDev device) {
    String names =
        device.resetMethods().stream().map(ResetMethod::word).collect(Collectors.joining(" "));
    return names.isEmpty() ? "" : names + "\n";
  }
}
