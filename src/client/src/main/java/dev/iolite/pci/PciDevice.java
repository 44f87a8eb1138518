package dev.iolite.pci;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.HostPlatform;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A PCI function as sysfs shows it. Every method reads sysfs anew and fails with a {@link
 * KernelException} of ENOENT or ENODEV if the function has gone.
 *
 * <p>Safe for use by several threads.
 */
public final class PciDevice {
  /** BARs 0 to 5 and the ROM; what follows belongs to SR-IOV and bridges. */
  private static final int RESOURCES = 7;

  private static final String CDEV_DIRECTORY = "/dev/vfio/devices/";

  /**
   * The group, and the beginning of the character device's name, that VFIO makes up for a device
   * without an IOMMU (drivers/vfio/group.c:vfio_noiommu_group_alloc, vfio_main.c:vfio_init_device).
   */
  private static final String NO_IOMMU_GROUP = "vfio-noiommu";

  private static final String NO_IOMMU = "noiommu-";

  /** How sysfs prints that there is no override (a NULL string). */
  private static final String NO_OVERRIDE = "(null)";

  private final Kernel kernel;
  private final SysFs sysFs;
  private final PciAddress address;
  private final String path;

  PciDevice(Kernel kernel, PciAddress address) {
    this.kernel = kernel;
    this.sysFs = new SysFs(kernel).of(address.toString());
    this.address = address;
    this.path = Pci.DEVICES + "/" + address;
  }

  /** Its address. */
  public PciAddress address() {
    return address;
  }

  /** Its directory in sysfs. */
  public String path() {
    return path;
  }

  SysFs sysFs() {
    return sysFs;
  }

  /** Its directory in sysfs, without links on the way. */
  Path directory() {
    return Path.of(path).resolveSibling(sysFs.readlink(path)).normalize();
  }

  /** The vendor id, 16 bits. */
  public int vendor() {
    return number("vendor");
  }

  /** The device id, 16 bits. */
  public int device() {
    return number("device");
  }

  /** The vendor id of the board, 16 bits. */
  public int subsystemVendor() {
    return number("subsystem_vendor");
  }

  /** The device id of the board, 16 bits. */
  public int subsystemDevice() {
    return number("subsystem_device");
  }

  /** Base class, subclass and programming interface, 24 bits. */
  public int classCode() {
    return number("class");
  }

  /** What kind of device that class is, in words. */
  public String className() {
    return PciClass.name(classCode());
  }

  /** The driver that has it; empty if none does. */
  public Optional<String> driver() {
    return sysFs.linkName(path + "/driver");
  }

  /** Whether vfio-pci, or a variant of it for certain devices, has it. */
  public boolean hasVfioDriver() {
    return driver().filter(IommuGroup::isVfio).isPresent();
  }

  /**
   * Whether its driver has enabled it. A VFIO driver does so while somebody has the function open
   * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_enable), and the kernel counts that.
   */
  public boolean isEnabled() {
    return sysFs.readIfPresent(enableCount()).filter(text -> !text.equals("0")).isPresent();
  }

  /** The file that counts who has enabled it. */
  String enableCount() {
    return path + "/enable";
  }

  /** The only driver that may bind it, if one was set. */
  public Optional<String> driverOverride() {
    return sysFs
        .readIfPresent(path + "/driver_override")
        .filter(name -> !name.isEmpty() && !name.equals(NO_OVERRIDE));
  }

  /** Its IOMMU group; empty if no IOMMU translates for it. */
  public Optional<IommuGroup> iommuGroup() {
    String link = path + "/iommu_group";
    return sysFs
        .linkName(link)
        .map(id -> new IommuGroup(parsed("iommu_group", id, Integer::parseInt), members(link)));
  }

  /**
   * Whether an IOMMU stands between it and memory. In VFIO's no-IOMMU mode, a device also has a
   * group, but that means nothing.
   */
  public boolean hasIommu() {
    return sysFs
            .linkName(path + "/iommu_group")
            .filter(id ->
                sysFs
                    .readIfPresent("/sys/kernel/iommu_groups/" + id + "/name")
                    .filter(NO_IOMMU_GROUP::equals)
                    .isEmpty())
            .isPresent()
        && vfioDevice().filter(name -> name.startsWith(NO_IOMMU)).isEmpty();
  }

  /**
   * Makes sure that it has an IOMMU: without one, DMA to a supposed IOVA goes to that address in
   * the host's memory.
   */
  void requireIommu(String tried) {
    if (!hasIommu()) {
      boolean isUnsafe =
          sysFs.linkName(path + "/iommu_group").isPresent() || vfioDevice().isPresent();
      throw new PreconditionException(
          tried,
          isUnsafe
              ? "VFIO has the device in no-IOMMU mode, in which its DMA reaches all of the host's"
                  + " memory"
              : "the device has no IOMMU group",
          new Advice(
              "there is no IOMMU, it is switched off, or it does not translate for this device",
              HostPlatform.of(sysFs).iommu(),
              Remedy.CHECK_HOST));
    }
  }

  /**
   * Makes sure that the rest of its IOMMU group does not keep VFIO from handing out the function.
   * The kernel checks that only when the device is bound to an iommufd, and does not name the
   * device that is in the way (drivers/iommu/iommu.c:iommu_device_claim_dma_owner).
   *
   * @throws PreconditionException if a host driver uses another device of the group, or the
   *     function has no IOMMU
   */
  public void requireViableGroup() {
    requireIommu("assign " + address);
    List<IommuGroup.Member> others =
        iommuGroup().map(IommuGroup::usedByHost).orElse(List.of()).stream()
            .filter(member -> !member.name().equals(address.toString()))
            .toList();
    if (!others.isEmpty()) {
      throw new PreconditionException(
          "assign " + address,
          others.stream()
              .map(other -> other.name() + " (" + other.driver().orElseThrow() + ")")
              .collect(Collectors.joining(", ", "this host uses ", " of the same IOMMU group")),
          new Advice(
              "the IOMMU can't keep the devices of a group apart, so all of them are lent or none",
              others.stream().map(this::makesWay).collect(Collectors.joining("; ")),
              others.stream().allMatch(this::isLendable) ? Remedy.GIVE_TO_VFIO : Remedy.NONE,
              others.stream().map(IommuGroup.Member::name).toList()));
    }
  }

  /** How to get a device out of the way; a bridge stays, and VFIO does not accept it. */
  private String makesWay(IommuGroup.Member member) {
    String driver = member.driver().orElseThrow();
    Optional<PciDevice> pci =
        PciAddress.tryParse(member.name()).map(at -> new PciDevice(kernel, at));
    if (pci.isEmpty()) {
      return "take " + member.name() + " from " + driver;
    }
    return pci.get().isBridge()
        ? "boot without " + driver + ", as " + member.name() + " is a bridge"
        : "bind " + member.name() + " to vfio-pci";
  }

  private boolean isLendable(IommuGroup.Member member) {
    return PciAddress.tryParse(member.name())
        .filter(at -> !new PciDevice(kernel, at).isBridge())
        .isPresent();
  }

  /**
   * Makes sure that the function can be assigned and enabled, as far as sysfs shows.
   *
   * @throws PreconditionException if it is a bridge or has VFs, or its group is not viable, as
   *     {@link #requireViableGroup} says; or if it does not answer, or a BAR has no address, for
   *     which VFIO_DEVICE_BIND_IOMMUFD would return EIO or EINVAL
   */
  public void requireAssignable() {
    String tried = "assign " + address;
    new HostSafety(this, tried).requireAlone();
    requireViableGroup();
    if (!config().answers()) {
      throw new PreconditionException(
          tried,
          "the device does not answer, its configuration space reads as all ones",
          "it has fallen off the bus, or is without power (D3cold)",
          "dmesg; echo 1 > "
              + path
              + "/remove, then echo 1 > /sys/bus/pci/rescan, or power-cycle"
              + " the machine");
    }
    List<String> unassigned =
        resources().stream()
            .filter(resource -> resource.isBar() && !resource.isAssigned())
            .map(PciResource::name)
            .toList();
    if (!unassigned.isEmpty()) {
      throw new PreconditionException(
          tried,
          String.join(", ", unassigned) + " not assigned: the kernel has no address for it",
          PciResource.WHY_UNASSIGNED,
          PciResource.ASSIGN);
    }
  }

  private List<IommuGroup.Member> members(String group) {
    return sysFs.listIfPresent(group + "/devices").orElse(List.of()).stream()
        .map(name ->
            new IommuGroup.Member(name, sysFs.linkName(group + "/devices/" + name + "/driver")))
        .toList();
  }

  /** Whether it is a PCI or CardBus bridge: only those have a bus behind them. */
  public boolean isBridge() {
    return sysFs.exists(path + "/secondary_bus_number");
  }

  /**
   * Its VFs, if it is a physical function of SR-IOV that has any. They are counted by their links
   * and not by {@code sriov_numvfs}: reading that file waits for the device lock
   * (drivers/pci/iov.c:sriov_numvfs_show), which an unbind that hangs holds.
   */
  public List<PciDevice> virtualFunctions() {
    return sysFs.list(path).stream()
        .filter(name -> name.startsWith("virtfn"))
        .flatMap(name ->
            sysFs
                .linkName(path + "/" + name)
                .map(target -> parsed(name, target, PciAddress::parse))
                .stream())
        .sorted()
        .map(at -> new PciDevice(kernel, at))
        .toList();
  }

  /** The physical function, if it is a VF. */
  public Optional<PciAddress> physicalFunction() {
    return sysFs
        .linkName(path + "/physfn")
        .map(target -> parsed("physfn", target, PciAddress::parse));
  }

  /** Its BARs and its ROM. */
  public List<PciResource> resources() {
    List<PciResource> resources = new ArrayList<>();
    List<String> lines = sysFs.read(path + "/resource").lines().toList();
    for (int i = 0; i < Math.min(RESOURCES, lines.size()); i++) {
      int index = i;
      parsed("resource", lines.get(i), line -> PciResource.parse(index, line))
          .ifPresent(resources::add);
    }
    return resources;
  }

  /**
   * A copy of its configuration space, as much as this user may read.
   *
   * @throws PreconditionException if that is not even a header
   */
  public ConfigSpace config() {
    byte[] bytes = sysFs.readBytes(path + "/config");
    return parsed("config", bytes.length + " bytes", _ -> new ConfigSpace(bytes));
  }

  /** The name of its VFIO device; empty if it has no VFIO driver. */
  private Optional<String> vfioDevice() {
    return sysFs.listIfPresent(path + "/vfio-dev").flatMap(names -> names.stream().findFirst());
  }

  /**
   * The files that a process which uses it through VFIO has open, as {@link DeviceUsers} names
   * them.
   */
  Set<String> vfioFiles() {
    Set<String> files = new HashSet<>();
    files.add(directory().toString());
    vfioDevice()
        .ifPresent(name -> {
          files.add(CDEV_DIRECTORY + name);
          sysFs
              .linkName(path + "/iommu_group")
              .ifPresent(group ->
                  files.add("/dev/vfio/" + (name.startsWith(NO_IOMMU) ? NO_IOMMU : "") + group));
        });
    return files;
  }

  /**
   * Its VFIO character device; empty if it has no VFIO driver, or the kernel makes no such devices:
   * without CONFIG_VFIO_DEVICE_CDEV, the VFIO device exists, but has no device number
   * (drivers/vfio/device_cdev.c:vfio_init_device_cdev). The kernel makes the node before the
   * driver's probe returns (drivers/vfio/vfio_main.c:vfio_device_devnode, drivers/base/devtmpfs.c),
   * so there is nothing to wait for; udev may change the node's owner a little later.
   */
  public Optional<String> vfioCdev() {
    return vfioDevice()
        .filter(name -> sysFs.exists(path + "/vfio-dev/" + name + "/dev"))
        .map(name -> CDEV_DIRECTORY + name);
  }

  /**
   * Like {@link #vfioCdev}, for callers that cannot do without it.
   *
   * @throws PreconditionException if there is none
   */
  public String requireVfioCdev() {
    return vfioCdev()
        .filter(sysFs::exists)
        .orElseThrow(() -> {
          String tried = "find the VFIO character device of " + address;
          String driver = driver().orElse("no driver");
          return vfioCdev()
              .map(node ->
                  new PreconditionException(
                      tried,
                      "the kernel has made it, but there is no " + node,
                      "/dev is no devtmpfs, as in a container",
                      "give the container the node (--device " + node + ")"))
              .orElseGet(() ->
                  new PreconditionException(
                      tried,
                      "it has none; its driver is " + driver,
                      driver.contains("vfio")
                          ? new Advice(
                              "the kernel was built without CONFIG_VFIO_DEVICE_CDEV",
                              "use a kernel with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV")
                          : new Advice(
                              "the device is not bound to vfio-pci",
                              "bind " + address + " to vfio-pci",
                              Remedy.GIVE_TO_VFIO,
                              List.of(address.toString()))));
        });
  }

  /**
   * The methods by which the kernel would reset it, the preferred one first; empty if none works.
   */
  public List<String> resetMethods() {
    return sysFs
        .readIfPresent(path + "/reset_method")
        .filter(methods -> !methods.isEmpty())
        .map(methods -> List.of(methods.split(" ", -1)))
        .orElse(List.of());
  }

  /**
   * What this host would lose with the function's driver: disks that are mounted, used as swap, or
   * part of something else, and network interfaces that are up.
   */
  public List<HostUse> hostUses() {
    return new HostUses(kernel, this).find();
  }

  /** The NUMA node that it is closest to; empty if the firmware does not say. */
  public OptionalInt numaNode() {
    return sysFs.readIfPresent(path + "/numa_node").stream()
        .mapToInt(text -> parsed("numa_node", text, Integer::parseInt))
        .filter(node -> node >= 0)
        .findFirst();
  }

  /** What the kernel says about its relation to a TSM; empty if no TSM knows it. */
  public Optional<TsmState> tsm() {
    return sysFs
        .listIfPresent(path + "/tsm")
        .map(_ -> new TsmState(tsm("connect"), tsm("bound"), tsm("dsm")));
  }

  /** A file that exists but cannot be read does not prove that there is no session. */
  private Optional<String> tsm(String attribute) {
    String file = path + "/tsm/" + attribute;
    return sysFs.exists(file)
        ? Optional.of(sysFs.read(file)).filter(text -> !text.isEmpty())
        : Optional.empty();
  }

  private int number(String attribute) {
    return parsed(attribute, sysFs.read(path + "/" + attribute), Integer::decode);
  }

  /** Parses what a file or link of it says. Only the kernel writes these. */
  private <T> T parsed(String attribute, String text, Function<String, T> parse) {
    try {
      return parse.apply(text);
    } catch (IllegalArgumentException e) {
      throw new PreconditionException(
          "read " + path + "/" + attribute,
          "it says '" + text + "', which makes no sense there",
          "the kernel is newer than this program, or this is no sysfs",
          "look at the file, and report what it says");
    }
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
