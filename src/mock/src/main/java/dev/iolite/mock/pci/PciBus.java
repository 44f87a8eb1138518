package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.PciFollower;
import dev.iolite.mock.core.ProcFiles;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.core.Tree;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.Express;
import dev.iolite.pci.PciRegs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The PCI bus: functions, the devices that the kernel made from them, and drivers (drivers/base).
 */
public final class PciBus {
  private static final Object HOST = "the host's own DMA";

  /** The value that the firmware leaves in the command register. */
  private static final int FIRMWARE_COMMAND =
      PciRegs.COMMAND_IO | PciRegs.COMMAND_MEMORY | PciRegs.COMMAND_SERR;

  private final Task task;
  private final Machine machine;
  private boolean started;
  private final NavigableMap<Bdf, PciFunction> functions = new TreeMap<>();
  private final NavigableMap<Bdf, PciDev> devices = new TreeMap<>();
  private final NavigableMap<String, PciDriver> drivers = new TreeMap<>();
  private final Map<PciDriver, DynamicIds> dynamicIds = new HashMap<>();
  private final List<IommuDeviceGroup> groups = new ArrayList<>();
  private final List<PciFollower> followers = new ArrayList<>();
  private final Map<PciFunction, VirtualFunctions> virtualFunctions = new HashMap<>();

  private PciBus(Task task, Machine machine) {
    this.task = task;
    this.machine = machine;
    AddressMap addresses = new AddressMap();
    Map<Integer, IommuDeviceGroup> shared = new HashMap<>();
    machine.numberedGroups().forEach(group -> groups.add(group.make()));
    machine
        .functions()
        .forEach((address, model) -> {
          Optional<IommuDeviceGroup> group =
              machine.isTranslated(address)
                  ? Optional.of(
                      numbered(address)
                          .or(() ->
                              machine
                                  .set(address)
                                  .map(set -> shared.computeIfAbsent(set, _ -> newGroup())))
                          .orElseGet(this::newGroup))
                  : Optional.empty();
          functions.put(address, powerOn(new PciFunction(address, model, group), addresses));
        });
    machine
        .virtualFunctions()
        .forEach((address, virtual) -> {
          VirtualFunctions all = new VirtualFunctions(virtual.offset(), virtual.stride());
          for (int i = 0; i < virtual.models().size(); i++) {
            Bdf at = address.virtual(virtual.offset(), virtual.stride(), i);
            PciFunction function =
                powerOn(
                    new PciFunction(
                        at,
                        virtual.models().get(i),
                        Optional.of(numbered(at).orElseGet(this::newGroup))),
                    addresses);
            function.hideIds();
            function.unplug();
            function.group().orElseThrow().devices().remove(function);
            functions.put(at, function);
            all.add(function);
          }
          PciFunction physical = Objects.requireNonNull(functions.get(address));
          physical.describeVirtualFunctions(virtual.models().size(), virtual.offset());
          virtualFunctions.put(physical, all);
        });
  }

  private Optional<IommuDeviceGroup> numbered(Bdf address) {
    return machine.placement(address).stream()
        .flatMapToInt(placement -> placement.group().stream())
        .boxed()
        .flatMap(id -> groups.stream().filter(group -> group.id() == id))
        .findFirst();
  }

  private IommuDeviceGroup newGroup() {
    int id = groups.isEmpty() ? 0 : groups.getLast().id() + 1;
    IommuDeviceGroup group = new IommuDeviceGroup(id, true);
    groups.add(group);
    return group;
  }

  /** The firmware gives the function its addresses: those that it was seen to have, if any. */
  private PciFunction powerOn(PciFunction function, AddressMap addresses) {
    Optional<Placement> seen = machine.placement(function.address());
    if (seen.isPresent()) {
      function.shape().bars().stream()
          .filter(bar -> seen.get().resource(bar.index()).isAssigned())
          .forEach(bar -> function.assign(bar.index(), seen.get().resource(bar.index()).start()));
      if (function.shape().rom().isPresent() && seen.get().resource(PciDev.ROM).isAssigned()) {
        function.assignRom(seen.get().resource(PciDev.ROM).start());
      }
      function.configWrite(PciRegs.COMMAND, 2, FIRMWARE_COMMAND);
      return function;
    }
    // The firmware of TDX hosts does this, because a TDX module demands it for TEE memory.
    boolean above4G = function.shape().express().filter(Express::teeIo).isPresent();
    for (Bar bar : function.shape().bars()) {
      addresses.take(bar, above4G).ifPresent(start -> function.assign(bar.index(), start));
    }
    if (function.shape().rom().isPresent()) {
      addresses.takeRom(ConfigLayout.romBytes(function.shape())).ifPresent(function::assignRom);
    }
    function.configWrite(PciRegs.COMMAND, 2, FIRMWARE_COMMAND);
    function.configWrite(PciRegs.INTERRUPT_LINE, 1, function.shape().interruptPin() ? 11 : 0);
    return function;
  }

  /** Adds a machine's PCI devices, their host drivers and their files. */
  public static PciBus install(Task task, Tree tree, Machine machine) {
    PciBus bus = new PciBus(task, machine);
    new PciFiles(bus, task).addTo(tree);
    bus.rescan();
    HostNodes nodes = new HostNodes(task, tree);
    machine.held().forEach(nodes::hold);
    machine
        .processes()
        .forEach(
            process -> ProcFiles.addOther(tree, process.pid(), process.comm(), process.files()));
    machine.hostDrivers(nodes).forEach(bus::register);
    return bus;
  }

  /**
   * The firmware, the kernel and the drivers have done their work: where a function was seen on a
   * host, its registers are as they were left there.
   */
  public void started() {
    machine
        .virtualFunctions()
        .forEach((address, virtual) -> {
          if (virtual.enabled() > 0) {
            PciDev physical = Objects.requireNonNull(devices.get(address));
            enable(
                physical, virtualFunctions(physical.function()).orElseThrow(), virtual.enabled());
          }
        });
    started = true;
    for (PciDev device : devices.values()) {
      machine.placement(device.address()).ifPresent(_ -> device.function().leaveAsRecorded());
    }
  }

  /** What a host was seen to say about a device; empty if nothing was recorded. */
  Optional<Placement> placement(Bdf address) {
    return machine.placement(address);
  }

  /** The IOMMUs; empty if there is the usual one. */
  List<IommuUnit> iommus() {
    return machine.iommus();
  }

  /** Notifies a subsystem of the functions that are found and forgotten from now on. */
  public void follow(PciFollower follower) {
    followers.add(follower);
  }

  /** The files that the followers add to a device's directory. */
  Map<String, Node> followersFiles(PciDev device) {
    Map<String, Node> files = new TreeMap<>();
    followers.forEach(follower -> files.putAll(follower.files(device.function())));
    return files;
  }

  /** The devices, by address. */
  public Collection<PciDev> devices() {
    return devices.values();
  }

  /** The functions of the devices. */
  public Collection<TeeFunction> functions() {
    return devices.values().stream().<TeeFunction>map(PciDev::function).toList();
  }

  /** The device with a name in sysfs. */
  Optional<PciDev> device(String name) {
    return Bdf.tryParse(name).map(devices::get);
  }

  /** The device of a function; empty if the kernel does not know it, or no longer knows it. */
  Optional<PciDev> device(PciFunction function) {
    return Optional.ofNullable(devices.get(function.address()));
  }

  /** A function, whether the kernel knows it or not. */
  Optional<PciFunction> function(Bdf address) {
    return Optional.ofNullable(functions.get(address));
  }

  List<IommuDeviceGroup> groups() {
    return groups;
  }

  List<PciDriver> drivers() {
    return List.copyOf(drivers.values());
  }

  /** A function for tests to drive. */
  public PciControl control(Bdf address) {
    return new PciControl(
        task,
        this,
        function(address)
            .orElseThrow(() -> new IllegalArgumentException("no function at " + address)));
  }

  // -- topology

  /** The path of a device's directory, below {@code /sys}. */
  String path(PciDev device) {
    String above =
        bridge(device.function())
            .flatMap(this::device)
            .map(this::path)
            .orElseGet(() -> "devices/" + root(device.address()));
    return above + "/" + device;
  }

  /** The name of the root bus on which a device is that has no bridge above it. */
  static String root(Bdf address) {
    return "pci%04x:%02x".formatted(address.domain(), address.bus());
  }

  /** An address on each root bus, which has no bridge above it. */
  List<Bdf> roots() {
    Map<String, Bdf> roots = new TreeMap<>();
    functions.values().stream()
        .filter(function -> bridge(function).isEmpty())
        .forEach(function -> roots.putIfAbsent(root(function.address()), function.address()));
    return List.copyOf(roots.values());
  }

  /** The bridge to the bus of a function; empty on the root bus. */
  public Optional<PciFunction> bridge(PciFunction function) {
    Bdf address = function.address();
    return functions.values().stream()
        .filter(other ->
            other.address().domain() == address.domain()
                && other.shape().secondaryBus().orElse(-1) == address.bus())
        .findFirst();
  }

  /** The devices of a function's bus, and of the buses below it (pci_walk_bus). */
  public List<PciDev> onBus(PciFunction function) {
    List<PciDev> found = new ArrayList<>();
    walk(function.address().domain(), function.address().bus(), found);
    return found;
  }

  private void walk(int domain, int bus, List<PciDev> found) {
    for (PciDev device : devicesOf(domain, bus)) {
      found.add(device);
      device.shape().secondaryBus().ifPresent(below -> walk(domain, below, found));
    }
  }

  /** The devices of a bus, by address. */
  List<PciDev> devicesOf(int domain, int bus) {
    return devices.values().stream().filter(device -> device.address().isOn(domain, bus)).toList();
  }

  /** Whether no device answers at the addresses in a range. */
  public boolean isUnused(long from, long to) {
    for (PciDev device : devices.values()) {
      for (int i = 0; i <= PciDev.ROM; i++) {
        IoResource resource = device.resource(i);
        if (resource.isMemory()
            && resource.isAssigned()
            && resource.start() < to
            && resource.start() + resource.bytes() > from) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether the kernel knows no other device on a function's bus, and the bus has a bridge. */
  boolean isAloneBehindBridge(PciFunction function) {
    return bridge(function).isPresent()
        && function.shape().secondaryBus().isEmpty()
        && devicesOf(function.address().domain(), function.address().bus()).stream()
            .allMatch(other -> other.function() == function);
  }

  /**
   * drivers/pci/pci.c:pci_reset_bus for the bus of a device, which must not be the root bus.
   *
   * @return 0, or negated EAGAIN if a device on it is locked
   */
  public int resetBus(PciDev device) {
    List<PciDev> all = onBus(device.function());
    if (all.stream().anyMatch(PciDev::isLocked)) {
      return Errno.EAGAIN.negated();
    }
    List<SavedState> before = new ArrayList<>();
    for (PciDev one : all) {
      one.setPower(PciDev.D0);
      before.add(one.save());
      one.function().configWrite(PciRegs.COMMAND, 2, PciRegs.COMMAND_INTX_DISABLE);
    }
    all.forEach(one -> one.function().reset());
    for (int i = 0; i < all.size(); i++) {
      all.get(i).restore(before.get(i));
    }
    return 0;
  }

  // -- drivers

  /** driver_register: the driver takes the devices that have no driver. */
  public void register(PciDriver driver) {
    drivers.put(driver.name(), driver);
    attachAll(driver);
  }

  /** drivers/base/dd.c:driver_attach; a device that the driver refuses stays without a driver. */
  private void attachAll(PciDriver driver) {
    for (PciDev device : List.copyOf(devices.values())) {
      if (device.driver().isEmpty() && match(driver, device)) {
        tryProbe(driver, device);
      }
    }
  }

  /**
   * drivers/pci/pci-driver.c:pci_match_device. While a recorded host starts, each device gets the
   * driver that it had, which may have been given or taken by hand.
   */
  private boolean match(PciDriver driver, PciDev device) {
    Optional<Placement> seen = placement(device.address());
    if (!started && seen.isPresent()) {
      return seen.get().driver().equals(Optional.of(driver.name()));
    }
    return device
        .driverOverride()
        .map(driver.name()::equals)
        .orElseGet(() ->
            ids(driver).contain(device.shape().vendor(), device.shape().device())
                || driver.matches(device));
  }

  private DynamicIds ids(PciDriver driver) {
    return dynamicIds.computeIfAbsent(driver, _ -> new DynamicIds());
  }

  private boolean tryProbe(PciDriver driver, PciDev device) {
    try {
      probe(driver, device);
      return true;
    } catch (Refused e) {
      return false;
    }
  }

  /** drivers/base/dd.c:really_probe, and pci_dma_configure before it. */
  private void probe(PciDriver driver, PciDev device) {
    lock(device);
    try {
      refuseIf(!device.isRegistered(), Errno.ENODEV);
      refuseIf(device.driver().isPresent(), Errno.EBUSY);
      Optional<IommuDeviceGroup> claimed =
          device.function().group().filter(_ -> !driver.isDmaManaged());
      refuseIf(claimed.isPresent() && !claimed.get().claim(HOST), Errno.EBUSY);
      try {
        driver.probe(device);
        device.setDriver(Optional.of(driver));
      } catch (Refused e) {
        claimed.ifPresent(IommuDeviceGroup::release);
        throw e;
      }
    } finally {
      unlock(device);
    }
  }

  /** Takes the device lock, which is held across the wait for a driver to release a device. */
  private void lock(PciDev device) {
    task.awaitUninterrupted(() -> !device.isLocked());
    device.setLocked(true);
  }

  private void unlock(PciDev device) {
    device.setLocked(false);
    task.wake();
  }

  /** drivers/base/bus.c:bind_store. */
  void bind(PciDriver driver, String name) {
    PciDev device = device(name).orElseThrow(() -> refused(Errno.ENODEV));
    refuseIf(!match(driver, device), Errno.ENODEV);
    probe(driver, device);
  }

  /** drivers/base/bus.c:unbind_store: waits for the device's users. */
  void unbind(PciDriver driver, String name) {
    PciDev device = device(name).orElseThrow(() -> refused(Errno.ENODEV));
    refuseIf(!device.driver().equals(Optional.of(driver)), Errno.ENODEV);
    boolean[] done = new boolean[1];
    lock(device);
    release(
        device,
        () -> {
          done[0] = true;
          unlock(device);
        });
    task.awaitUninterrupted(() -> done[0]);
  }

  /** drivers/base/dd.c:__device_release_driver; the device is locked. */
  private void release(PciDev device, Runnable released) {
    if (device.driver().isEmpty()) {
      released.run();
      return;
    }
    PciDriver driver = device.driver().get();
    driver.resume(device);
    device.setReleasing(true);
    driver.remove(
        device,
        () -> {
          if (!driver.isDmaManaged()) {
            device.function().group().ifPresent(IommuDeviceGroup::release);
          }
          device.setDriver(Optional.empty());
          device.setReleasing(false);
          released.run();
          task.wake();
        });
  }

  /** drivers/base/bus.c:drivers_probe_store. */
  void probeDrivers(String name) {
    attach(device(name).orElseThrow(() -> refused(Errno.ENODEV)));
  }

  /** drivers/base/dd.c:device_attach: the first driver that wants it. */
  private void attach(PciDev device) {
    for (PciDriver driver : drivers()) {
      if (device.driver().isEmpty() && match(driver, device) && tryProbe(driver, device)) {
        return;
      }
    }
  }

  /** drivers/pci/pci-driver.c:new_id_store. */
  void addId(PciDriver driver, String text) {
    DynamicIds.Id id = DynamicIds.parse(text);
    refuseIf(driver.hasId(id.vendor(), id.device()), Errno.EEXIST);
    ids(driver).add(id);
    attachAll(driver);
  }

  /** drivers/pci/pci-driver.c:remove_id_store. */
  void removeId(PciDriver driver, String text) {
    ids(driver).remove(DynamicIds.parse(text));
  }

  // -- coming and going

  /** drivers/pci/probe.c:pci_rescan_bus, for all buses; it does not find VFs. */
  void rescan() {
    for (PciFunction function : functions.values()) {
      if (function.isPresent()
          && !devices.containsKey(function.address())
          && physical(function).isEmpty()) {
        attach(discover(function));
      }
    }
  }

  private PciDev discover(PciFunction function) {
    PciDev device = new PciDev(function, this);
    devices.put(function.address(), device);
    function
        .group()
        .filter(group -> !group.devices().contains(function))
        .ifPresent(group -> group.devices().add(function));
    followers.forEach(follower -> follower.added(function));
    return device;
  }

  // -- SR-IOV

  /** The VFs that a physical function can have; empty if it is not one. */
  Optional<VirtualFunctions> virtualFunctions(PciFunction function) {
    return Optional.ofNullable(virtualFunctions.get(function));
  }

  /** Whether a device is a physical function (is_physfn). */
  public boolean canHaveVirtualFunctions(PciDev device) {
    return virtualFunctions(device.function()).isPresent();
  }

  /** The physical function, if this is a VF (pci_physfn). */
  public Optional<PciFunction> physical(PciFunction function) {
    return virtualFunctions.entrySet().stream()
        .filter(entry -> entry.getValue().all().contains(function))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** How many VFs a device has (drivers/pci/iov.c:pci_num_vf). */
  public int virtualFunctionCount(PciDev device) {
    return virtualFunctions(device.function()).map(VirtualFunctions::count).orElse(0);
  }

  /** drivers/pci/iov.c:sriov_numvfs_store; waits for the users of the VFs that are removed. */
  void setVirtualFunctions(PciDev device, String text) {
    VirtualFunctions all = virtualFunctions(device.function()).orElseThrow();
    long wanted = DeviceFiles.number(text);
    refuseIf((wanted & ~0xffffL) != 0, Errno.EINVAL);
    refuseIf(wanted > all.all().size(), Errno.ERANGE);
    lock(device);
    try {
      if (wanted == all.count()) {
        return;
      }
      refuseIf(
          device.driver().filter(PciDriver::configuresVirtualFunctions).isEmpty(), Errno.ENOENT);
      if (wanted == 0) {
        boolean[] done = new boolean[1];
        disableVirtualFunctions(device, () -> done[0] = true);
        task.awaitUninterrupted(() -> done[0]);
      } else {
        refuseIf(all.count() > 0, Errno.EBUSY);
        enable(device, all, (int) wanted);
      }
    } finally {
      unlock(device);
    }
  }

  /** drivers/pci/iov.c:sriov_numvfs_show, which takes the device lock. */
  String virtualFunctionsText(PciDev device) {
    task.awaitUninterrupted(() -> !device.isLocked());
    return Integer.toString(virtualFunctionCount(device));
  }

  /**
   * drivers/pci/iov.c:sriov_enable. If vfio-pci has a PF, it also gets the PF's VFs
   * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_bus_notifier).
   */
  private void enable(PciDev physical, VirtualFunctions all, int count) {
    physical.function().enableVirtualFunctions(count);
    all.setCount(count);
    for (PciFunction function : all.enabled()) {
      function.plug();
      function.configWrite(PciRegs.COMMAND, 2, FIRMWARE_COMMAND);
      PciDev device = discover(function);
      physical
          .driver()
          .filter(PciDriver::capturesVirtualFunctions)
          .filter(_ -> started)
          .ifPresent(driver -> device.setDriverOverride(Optional.of(driver.name())));
      attach(device);
    }
  }

  /**
   * drivers/pci/iov.c:pci_disable_sriov: removes one VF after the other, each after its last user
   * is gone.
   *
   * @param disabled called when none is left; at once if there is none
   */
  public void disableVirtualFunctions(PciDev device, Runnable disabled) {
    virtualFunctions(device.function())
        .filter(all -> all.count() > 0)
        .ifPresentOrElse(
            all ->
                disable(
                    all,
                    0,
                    () -> {
                      device.function().enableVirtualFunctions(0);
                      disabled.run();
                    }),
            disabled);
  }

  private void disable(VirtualFunctions all, int index, Runnable disabled) {
    if (index == all.count()) {
      all.setCount(0);
      disabled.run();
      return;
    }
    PciFunction function = all.all().get(index);
    Runnable next =
        () -> {
          function.unplug();
          disable(all, index + 1, disabled);
        };
    device(function).ifPresentOrElse(device -> removeThen(device, next), next);
  }

  /** drivers/pci/remove.c:pci_stop_and_remove_bus_device: waits for the device's users. */
  void remove(PciDev device) {
    boolean[] done = new boolean[1];
    removeThen(device, () -> done[0] = true);
    task.awaitUninterrupted(() -> done[0]);
  }

  private void removeThen(PciDev device, Runnable removed) {
    device
        .shape()
        .secondaryBus()
        .ifPresent(bus -> {
          devicesOf(device.address().domain(), bus).forEach(this::remove);
        });
    if (!device.isRegistered()) {
      removed.run();
      return;
    }
    lock(device);
    release(
        device,
        () -> {
          device.unregister();
          followers.forEach(follower -> follower.removed(device.function()));
          devices.remove(device.address());
          device.function().group().ifPresent(group -> group.devices().remove(device.function()));
          unlock(device);
          removed.run();
        });
  }

  /**
   * Pulls a function out (surprise removal): it is gone at once; as with pciehp, the kernel
   * releases it from its driver when the device's users are gone.
   */
  void unplug(PciFunction function) {
    function.unplug();
    device(function)
        .filter(device -> !device.isLocked())
        .ifPresent(device -> removeThen(device, () -> {}));
  }

  /** Plugs a function in again, and makes the kernel scan the bus. */
  void plug(PciFunction function) {
    refuseIf(device(function).isPresent(), Errno.EBUSY);
    function.plug();
    function.configWrite(PciRegs.COMMAND, 2, FIRMWARE_COMMAND);
    rescan();
  }
}
