package dev.iolite.mock.pci;

import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.device.Ivshmem;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.device.nvme.Nvme;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The hardware of a model: PCI functions, their host drivers, and which of them share an IOMMU
 * group. It can be changed until a kernel is made from it.
 */
public final class Machine {
  private static final int NOT_TRANSLATED = -1;
  private static final String VFIO = "vfio-pci";
  private static final int VIRTIO = 0x1af4;
  private static final int RED_HAT = 0x1b36;
  private static final int INTEL = 0x8086;

  private final NavigableMap<Bdf, DeviceModel> functions = new TreeMap<>();
  private final Map<Bdf, String> drivers = new TreeMap<>();
  private final Map<Bdf, Integer> sets = new TreeMap<>();
  private final Map<Bdf, List<HostNode>> nodes = new TreeMap<>();
  private final Map<Bdf, Virtual> virtualFunctions = new TreeMap<>();
  private final Map<Bdf, Placement> placements = new TreeMap<>();
  private final NavigableMap<Integer, NumberedGroup> numbered = new TreeMap<>();
  private final List<IommuUnit> iommus = new ArrayList<>();
  private final List<HostProcess> processes = new ArrayList<>();
  private int lastSet;

  /** An IOMMU group that has a number from the start. */
  record NumberedGroup(int id, String type, List<ReservedRegion> reserved) {
    IommuDeviceGroup make() {
      return new IommuDeviceGroup(id, true, type, reserved);
    }
  }

  /**
   * The VFs that a function can have.
   *
   * @param enabled how many it has from the start
   */
  record Virtual(int offset, int stride, List<DeviceModel> models, int enabled) {}

  /** Makes a machine without devices. */
  public Machine() {}

  /**
   * The lab's machine: the devices that {@code scripts/lab} boots, at the same addresses, except
   * one, which is replaced by a device with TDISP.
   *
   * <ul>
   *   <li>00:02.0 edu; 00:03.0 nvme; each alone in its IOMMU group
   *   <li>00:04.0 a bridge, and behind it 01:01.0 edu and 01:02.0, which the host uses: one group
   *   <li>00:07.0 a TDISP endpoint, where the lab has an ivshmem, alone in its group
   * </ul>
   */
  public static Machine lab() {
    return lab(Edu.model(), nvme(), TdispEndpoint.model());
  }

  /**
   * The lab's machine under its kernel seed-2025. A TSM in software treats three of its devices as
   * TEE devices, which they are not: all memory of their BARs is TEE memory, except MSI-X and page
   * 2 of ivshmem's BAR 2.
   */
  public static Machine seedLab() {
    return lab(
        Edu.model().takenForTee(),
        nvme().takenForTee(),
        Ivshmem.model().takenForTee(new TdiRange(Ivshmem.MEMORY_BAR, 2, 1, TdiRange.NON_TEE)));
  }

  /**
   * The lab's machine as {@code scripts/lab --machine sriov} boots it: the devices of {@link #lab},
   * and
   *
   * <ul>
   *   <li>00:08.0 a PCI Express root port, and behind it 02:00.0 nvme, which can have two VFs
   *   <li>00:09.0 another one, and behind it 03:00.0 nvme: one group with their port
   * </ul>
   */
  public static Machine sriov() {
    DeviceModel vf =
        DeviceModel.memory(
            DeviceShape.builder(RED_HAT, 0x0010)
                .classCode(0x01_0802)
                .withoutInterruptPin()
                .bar(Bar.memory64(0, 16 << 10))
                .build());
    return lab()
        .function("0000:00:08.0", port(2))
        .driver("0000:00:08.0", "pcieport")
        .function("0000:00:09.0", port(3))
        .driver("0000:00:09.0", "pcieport")
        .function("0000:02:00.0", Nvme.withVirtualFunctions("IOLITE-LAB-2"))
        .driver("0000:02:00.0", "nvme")
        .virtualFunctions("0000:02:00.0", vf, vf)
        .function("0000:03:00.0", Nvme.model("IOLITE-LAB-3"))
        .driver("0000:03:00.0", "nvme")
        .group("0000:00:09.0", "0000:03:00.0");
  }

  private static DeviceModel port(int secondaryBus) {
    return DeviceModel.memory(
        DeviceShape.builder(RED_HAT, 0x000c)
            .classCode(0x06_0400)
            .bar(Bar.memory32(0, 4 << 10))
            .bridgeTo(secondaryBus)
            .build());
  }

  private static DeviceModel nvme() {
    return Nvme.model("IOLITE-LAB-1");
  }

  private static Machine lab(DeviceModel second, DeviceModel third, DeviceModel seventh) {
    return new Machine()
        .function("0000:00:00.0", chip(INTEL, 0x29c0, 0x06_0000))
        .function("0000:00:02.0", second)
        .function("0000:00:03.0", third)
        .driver("0000:00:03.0", "nvme")
        .function("0000:00:04.0", bridge(1))
        .function("0000:00:05.0", virtio(0x1003, 0x07_8000))
        .driver("0000:00:05.0", "virtio-pci")
        .function("0000:00:06.0", virtio(0x1009, 0x00_0200))
        .driver("0000:00:06.0", "virtio-pci")
        .function("0000:00:07.0", seventh)
        .function("0000:00:1f.0", chip(INTEL, 0x2918, 0x06_0100))
        .function("0000:01:01.0", Edu.model())
        .function("0000:01:02.0", virtio(0x1005, 0x00_ff00))
        .driver("0000:01:02.0", "virtio-pci")
        .group("0000:00:04.0", "0000:01:01.0", "0000:01:02.0");
  }

  private static DeviceModel chip(int vendor, int device, int classCode) {
    return DeviceModel.memory(
        DeviceShape.builder(vendor, device).classCode(classCode).withoutInterruptPin().build());
  }

  private static DeviceModel virtio(int device, int classCode) {
    return DeviceModel.memory(
        DeviceShape.builder(VIRTIO, device)
            .subsystem(VIRTIO, device - 0x1000)
            .classCode(classCode)
            .bar(Bar.ports(0, 64))
            .bar(Bar.prefetchable64(4, 16 << 10))
            .build());
  }

  private static DeviceModel bridge(int secondaryBus) {
    return DeviceModel.memory(
        DeviceShape.builder(RED_HAT, 0x0001)
            .classCode(0x06_0400)
            .bar(Bar.memory64(0, 256))
            .bridgeTo(secondaryBus)
            .build());
  }

  /**
   * Plugs in a function, alone in its IOMMU group and without a driver.
   *
   * @param address where, such as {@code 0000:00:02.0}; a function of a bus other than 0 needs the
   *     bridge to it
   * @throws IllegalArgumentException if that is not an address, or is taken
   */
  public Machine function(String address, DeviceModel model) {
    Bdf bdf = Bdf.parse(address);
    if (functions.putIfAbsent(bdf, model) != null) {
      throw new IllegalArgumentException("there is a function at " + bdf + " already");
    }
    return this;
  }

  /**
   * Plugs in a function as a host was seen to have it.
   *
   * @param address where
   * @param placement its group, if it has one, must be there, and so must its IOMMU
   * @throws IllegalArgumentException if that is not an address, or is taken, or group or IOMMU are
   *     missing
   */
  public Machine function(String address, DeviceModel model, Placement placement) {
    placement.group().ifPresent(id -> require(numbered.containsKey(id), "IOMMU group " + id));
    placement
        .iommu()
        .ifPresent(name ->
            require(iommus.stream().anyMatch(unit -> unit.name().equals(name)), "IOMMU " + name));
    function(address, model);
    Bdf bdf = Bdf.parse(address);
    placements.put(bdf, placement);
    addDriver(bdf, placement);
    return this;
  }

  /** VFIO's driver is not one of the host's own. */
  private void addDriver(Bdf address, Placement placement) {
    placement
        .driver()
        .filter(name -> !name.equals(VFIO))
        .ifPresent(name -> drivers.put(address, name));
  }

  private static void require(boolean exists, String what) {
    if (!exists) {
      throw new IllegalArgumentException("there is no " + what);
    }
  }

  /**
   * Adds an IOMMU group with its number, for functions that were seen in it.
   *
   * @param type the type of the host's own domain, as sysfs shows it
   * @throws IllegalArgumentException if there is one with this number
   */
  public Machine group(int id, String type, List<ReservedRegion> reserved) {
    if (numbered.putIfAbsent(id, new NumberedGroup(id, type, List.copyOf(reserved))) != null) {
      throw new IllegalArgumentException("there is an IOMMU group %d already".formatted(id));
    }
    return this;
  }

  /** Adds an IOMMU; a machine without any has the platform's usual one in front of all devices. */
  public Machine iommu(IommuUnit unit) {
    iommus.add(unit);
    return this;
  }

  /** Binds the function to a host driver from the start. */
  public Machine driver(String address, String name) {
    drivers.put(present(address), name);
    return this;
  }

  /**
   * Lets the driver of a function make a character device for it. When the function is taken from
   * the driver, the driver waits for those who have the character device open.
   *
   * @param directory where sysfs shows it, below the function, such as {@code drm/card0}
   * @param name its name in {@code /dev}, such as {@code dri/card0}
   * @param major its driver's number
   * @param minor its own number
   */
  public Machine node(String address, String directory, String name, int major, int minor) {
    nodes
        .computeIfAbsent(present(address), _ -> new ArrayList<>())
        .add(new HostNode(directory, name, major, minor, false, true));
    return this;
  }

  /**
   * Adds another process, which never ends.
   *
   * @param pid its id, other than that of this process
   * @param comm its name
   * @param files the files that it has open, such as {@code /dev/dri/card0}
   */
  public Machine process(int pid, String comm, String... files) {
    processes.add(new HostProcess(pid, comm, List.of(files)));
    return this;
  }

  /**
   * Lets a function have VFs (SR-IOV), which appear when {@code sriov_numvfs} is written: each in
   * its own IOMMU group, at the addresses after the function's.
   *
   * @param each a model for each VF
   */
  public Machine virtualFunctions(String address, DeviceModel... each) {
    virtualFunctions.put(present(address), new Virtual(1, 1, List.of(each), 0));
    return this;
  }

  /**
   * Lets a function have VFs, some of which it has from the start.
   *
   * @param offset the distance of the first one from the function, in routing ids
   * @param stride the distance of one from the next
   * @param each a model for each VF
   * @param seen what a host was seen to say about each VF that it had: the first ones
   */
  public Machine virtualFunctions(
      String physicalAddress,
      int offset,
      int stride,
      List<DeviceModel> each,
      List<Placement> seen) {
    Bdf physical = present(physicalAddress);
    virtualFunctions.put(physical, new Virtual(offset, stride, List.copyOf(each), seen.size()));
    for (int i = 0; i < seen.size(); i++) {
      Bdf address = physical.virtual(offset, stride, i);
      placements.put(address, seen.get(i));
      addDriver(address, seen.get(i));
    }
    return this;
  }

  /** Puts functions into one IOMMU group. */
  public Machine group(String... addresses) {
    lastSet++;
    for (String address : addresses) {
      sets.put(present(address), lastSet);
    }
    return this;
  }

  /** Puts a function where no IOMMU translates for it. */
  public Machine withoutIommu(String address) {
    sets.put(present(address), NOT_TRANSLATED);
    return this;
  }

  private Bdf present(String address) {
    Bdf bdf = Bdf.parse(address);
    if (!functions.containsKey(bdf)) {
      throw new IllegalArgumentException("there is no function at " + bdf);
    }
    return bdf;
  }

  /** Its IOMMUs; empty if nothing is said about them. */
  public List<IommuUnit> iommus() {
    return iommus;
  }

  /**
   * The name of the IOMMU that a function was seen behind; empty if nothing was recorded.
   *
   * @param address as {@link Bdf#toString} has it
   */
  public Optional<String> iommuOf(String address) {
    return placement(Bdf.parse(address)).flatMap(Placement::iommu);
  }

  /** What a host was seen to say about a function; empty if nothing was recorded. */
  Optional<Placement> placement(Bdf address) {
    return Optional.ofNullable(placements.get(address));
  }

  /** The groups that have a number from the start, in its order. */
  Collection<NumberedGroup> numberedGroups() {
    return numbered.values();
  }

  NavigableMap<Bdf, DeviceModel> functions() {
    return functions;
  }

  Map<Bdf, Virtual> virtualFunctions() {
    return virtualFunctions;
  }

  List<HostProcess> processes() {
    return processes;
  }

  /** Nodes that a process has open. */
  List<HostNode> held() {
    return processes.stream()
        .flatMap(process -> process.files().stream())
        .flatMap(file ->
            nodes.values().stream()
                .flatMap(List::stream)
                .filter(node -> file.equals("/dev/" + node.name())))
        .toList();
  }

  /** The host drivers, each with the ids of the devices that it drives. */
  List<HostDriver> hostDrivers(HostNodes made) {
    SortedMap<String, List<Integer>> ids = new TreeMap<>();
    Map<Bdf, DeviceModel> models = new TreeMap<>(functions);
    virtualFunctions.forEach((physical, virtual) -> {
      for (int i = 0; i < virtual.enabled(); i++) {
        Bdf address = physical.virtual(virtual.offset(), virtual.stride(), i);
        models.put(address, virtual.models().get(i));
      }
    });
    models.forEach((address, model) -> {
      String driver = drivers.get(address);
      if (driver != null) {
        DeviceShape shape = model.shape();
        ids.computeIfAbsent(driver, _ -> new ArrayList<>())
            .add((shape.vendor() << 16) | shape.device());
      }
    });
    List<HostDriver> all = new ArrayList<>();
    ids.forEach((name, its) -> all.add(new HostDriver(name, its, nodes, made)));
    return all;
  }

  /** The set of functions that share a group with this one; empty if it is alone. */
  Optional<Integer> set(Bdf address) {
    return Optional.ofNullable(sets.get(address));
  }

  boolean isTranslated(Bdf address) {
    return placement(address)
        .map(placement -> placement.group().isPresent())
        .orElseGet(() -> !set(address).equals(Optional.of(NOT_TRANSLATED)));
  }
}
