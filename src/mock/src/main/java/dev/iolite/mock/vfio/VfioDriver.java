package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.Attribute;
import dev.iolite.mock.core.DmaDomain;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.MiscDevice;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import dev.iolite.mock.pci.PciBus;
import dev.iolite.mock.pci.PciControl;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.mock.pci.PciDriver;
import dev.iolite.mock.pci.PciFunction;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * The vfio-pci driver (drivers/vfio/pci/vfio_pci.c) and the devices that it makes: their numbers,
 * their nodes in {@code /dev/vfio/devices}, and the sets that are reset together.
 */
public final class VfioDriver implements PciDriver {
  private final Task task;
  private final PciBus bus;
  private final Function<IommuDevice, DmaDomain> domains;
  private final AssignedDeviceCalls calls;
  private final NavigableMap<Integer, VfioPciDevice> devices = new TreeMap<>();
  private final Map<Object, VfioDeviceSet> sets = new HashMap<>();
  private final Map<Integer, VfioGroup> groups = new TreeMap<>();
  private boolean enableSriov;

  private VfioDriver(
      Task task, PciBus bus, Function<IommuDevice, DmaDomain> domains, AssignedDeviceCalls calls) {
    this.task = task;
    this.bus = bus;
    this.domains = domains;
    this.calls = calls;
  }

  /**
   * Adds the driver to the bus, and adds its nodes.
   *
   * @param domains makes the page tables of containers
   * @param calls the calls that the kernel has beyond 7.3
   */
  public static VfioDriver install(
      Task task,
      Tree tree,
      PciBus bus,
      Function<IommuDevice, DmaDomain> domains,
      AssignedDeviceCalls calls) {
    VfioDriver driver = new VfioDriver(task, bus, domains, calls);
    bus.register(driver);
    tree.add("/dev/vfio", new Node.Directory(driver::nodes));
    tree.add("/sys/class/vfio-dev", new Node.Directory(driver::links));
    tree.add(
        "/sys/module/vfio_pci/parameters/enable_sriov",
        new Node.Text(Attribute.of(() -> driver.enableSriov ? "Y" : "N", driver::setEnableSriov)));
    return driver;
  }

  /** Revokes the dma-bufs of a device, if this driver has it. */
  boolean revoke(PciControl pci) {
    return does(pci, core -> core.dmaBufs().move(true));
  }

  /** Wakes a device that may be suspended, if this driver has it. */
  boolean wake(PciControl pci) {
    return does(pci, VfioPciCore::resume);
  }

  private boolean does(PciControl pci, Consumer<VfioPciCore> what) {
    return pci.locked(() -> {
      for (VfioPciDevice device : devices.values()) {
        if (device.pci().address().equals(pci.address())) {
          what.accept(device.core());
          return true;
        }
      }
      return false;
    });
  }

  private Map<String, Node> nodes() {
    Map<String, Node> files = new TreeMap<>();
    files.put("vfio", MiscDevice.VFIO.node(() -> new ContainerFile(task, domains)));
    groups.values().forEach(group -> files.put(group.name(), group.node()));
    Map<String, Node> cdevs = new TreeMap<>();
    for (VfioPciDevice device : devices.values()) {
      if (device.isListed()) {
        cdevs.put(device.name(), device.node(task));
      }
    }
    if (!cdevs.isEmpty()) {
      files.put("devices", new Node.Directory(() -> cdevs));
    }
    return files;
  }

  private Map<String, Node> links() {
    Map<String, Node> links = new TreeMap<>();
    for (VfioPciDevice device : devices.values()) {
      if (device.isListed()) {
        String target = "../../" + device.pci().path() + "/vfio-dev/" + device.name();
        links.put(device.name(), new Node.Link(() -> target));
      }
    }
    return links;
  }

  @Override
  public String name() {
    return "vfio-pci";
  }

  /** Its table matches all devices, but only through driver_override. */
  @Override
  public boolean matches(PciDev device) {
    return false;
  }

  @Override
  public boolean hasId(int vendor, int device) {
    return false;
  }

  @Override
  public boolean isDmaManaged() {
    return true;
  }

  /** drivers/vfio/pci/vfio_pci.c:vfio_pci_sriov_configure. */
  @Override
  public boolean configuresVirtualFunctions() {
    return enableSriov;
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_bus_notifier. */
  @Override
  public boolean capturesVirtualFunctions() {
    return true;
  }

  /** kernel/params.c:param_set_bool, as far as it is needed. */
  private void setEnableSriov(String text) {
    refuseIf(!text.equals("Y") && !text.equals("N"), Errno.EINVAL);
    enableSriov = text.equals("Y");
  }

  /**
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device: EINVAL for a bridge, EBUSY for
   * a PF that has VFs.
   */
  @Override
  public void probe(PciDev pci) {
    refuseIf(pci.shape().secondaryBus().isPresent(), Errno.EINVAL);
    refuseIf(bus.virtualFunctionCount(pci) > 0, Errno.EBUSY);
    IommuDeviceGroup iommuGroup = pci.function().group().orElseThrow(() -> refused(Errno.EINVAL));
    int index = lowestFree(devices::containsKey);
    // On the root bus, nothing else is reset with a device; nor is it with a VF.
    Object key =
        bus.bridge(pci.function()).isPresent() && bus.physical(pci.function()).isEmpty()
            ? pci.address().bus()
            : pci;
    VfioDeviceSet set = sets.computeIfAbsent(key, _ -> new VfioDeviceSet(bus));
    int minor =
        lowestFree(number -> groups.values().stream().anyMatch(each -> each.minor() == number));
    VfioGroup group =
        groups.computeIfAbsent(iommuGroup.id(), _ -> new VfioGroup(task, iommuGroup, minor));
    VfioPciDevice device =
        new VfioPciDevice(
            task,
            pci,
            index,
            set,
            group,
            bus.physical(pci.function()).flatMap(this::deviceOf),
            calls);
    devices.put(index, device);
    device.register();
  }

  /** ida_alloc. */
  private static int lowestFree(IntPredicate isTaken) {
    return IntStream.iterate(0, each -> each + 1)
        .filter(isTaken.negate())
        .findFirst()
        .orElseThrow();
  }

  private Optional<VfioPciDevice> deviceOf(PciFunction function) {
    return devices.values().stream()
        .filter(device -> device.pci().function() == function)
        .findFirst();
  }

  @Override
  public void resume(PciDev pci) {
    deviceOf(pci.function()).ifPresent(device -> device.core().resume());
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_unregister_device: its VFs go first. */
  @Override
  public void remove(PciDev pci, Runnable released) {
    VfioPciDevice device = deviceOf(pci.function()).orElseThrow();
    bus.disableVirtualFunctions(
        pci,
        () ->
            device.unregister(() -> {
              devices.remove(device.index());
              device.set().leave(device);
              if (device.group().remove()) {
                groups.values().remove(device.group());
              }
              sets.values().removeIf(VfioDeviceSet::isEmpty);
              released.run();
            }));
  }

  @Override
  public String toString() {
    return name();
  }
}
