package dev.iolite.pci;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * A PCI function as sysfs shows it. Every method reads sysfs anew, and fails with a {@link
 * KernelException} of ENOENT or ENODEV if the function has gone.
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

  private static final String NO_IOMMU_CDEV = CDEV_DIRECTORY + "noiommu-";

  /** How sysfs prints that there is no override (a NULL string). */
  private static final String NO_OVERRIDE = "(null)";

  private final Kernel kernel;
  private final SysFs sysFs;
  private final PciAddress address;
  private final String path;

  PciDevice(Kernel kernel, PciAddress address) {
    this.kernel = kernel;
    this.sysFs = new SysFs(kernel);
    this.address = address;
    this.path = Pci.DEVICES + "/" + address;
  }

  /** Where it is. */
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

  /** The driver that has it; empty if none has. */
  public Optional<String> driver() {
    return sysFs.linkName(path + "/driver");
  }

  /** The only driver that may have it, if that was set. */
  public Optional<String> driverOverride() {
    return sysFs
        .readIfPresent(path + "/driver_override")
        .filter(name -> !name.isEmpty() && !name.equals(NO_OVERRIDE));
  }

  /** Its IOMMU group; empty if no IOMMU translates for it. */
  public Optional<IommuGroup> iommuGroup() {
    String link = path + "/iommu_group";
    return sysFs.linkName(link).map(id -> new IommuGroup(Integer.parseInt(id), members(link)));
  }

  /**
   * Whether an IOMMU stands between it and memory. In VFIO's no-IOMMU mode a device has a group
   * too, which means nothing.
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
        && vfioCdev().filter(node -> node.startsWith(NO_IOMMU_CDEV)).isEmpty();
  }

  /**
   * Makes sure that it has one: without it, DMA to what is thought to be an IOVA goes to that
   * address of the host's memory.
   */
  void requireIommu(String tried) {
    if (!hasIommu()) {
      boolean isUnsafe =
          sysFs.linkName(path + "/iommu_group").isPresent() || vfioCdev().isPresent();
      throw new PreconditionException(
          tried,
          isUnsafe
              ? "VFIO has the device in no-IOMMU mode, in which its DMA reaches all of the host's"
                  + " memory"
              : "the device has no IOMMU group",
          "there is no IOMMU, it is switched off, or it does not translate for this device",
          "iolite doctor; switch VT-d or AMD-Vi on in the firmware and boot with intel_iommu=on");
    }
  }

  /**
   * Makes sure that VFIO would lend the function, as far as the rest of its IOMMU group is
   * concerned. The kernel looks at that only when the device is bound to an iommufd, and does not
   * name the device that is in the way (drivers/iommu/iommu.c:iommu_device_claim_dma_owner).
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
          "the IOMMU can't keep the devices of a group apart, so all of them are lent or none",
          others.stream()
              .map(other -> "iolite pci bind " + other.name())
              .collect(Collectors.joining("; ")));
    }
  }

  private List<IommuGroup.Member> members(String group) {
    return sysFs.list(group + "/devices").stream()
        .map(name ->
            new IommuGroup.Member(name, sysFs.linkName(group + "/devices/" + name + "/driver")))
        .toList();
  }

  /** The BARs and the ROM that it has. */
  public List<PciResource> resources() {
    List<String> lines = sysFs.read(path + "/resource").lines().toList();
    List<PciResource> resources = new ArrayList<>();
    for (int i = 0; i < Math.min(RESOURCES, lines.size()); i++) {
      String[] words = lines.get(i).split(" ", -1);
      long start = address(words[0]);
      long end = address(words[1]);
      long flags = address(words[2]);
      if (flags != 0 && end >= start) {
        resources.add(new PciResource(i, start, end - start + 1, flags));
      }
    }
    return resources;
  }

  /** A hexadecimal number of 64 bits, unsigned, with its 0x. */
  private static long address(String text) {
    return Long.parseUnsignedLong(text.substring(2), 16);
  }

  /** A copy of its configuration space, as much as this user may read. */
  public ConfigSpace config() {
    return new ConfigSpace(sysFs.readBytes(path + "/config"));
  }

  /**
   * The VFIO character device of it; empty if it has no VFIO driver, or the kernel makes no such
   * devices. The kernel makes the node before the driver's probe returns
   * (drivers/vfio/vfio_main.c:vfio_device_devnode, drivers/base/devtmpfs.c), so there is nothing to
   * wait for; udev may change the node's owner a little later.
   */
  public Optional<String> vfioCdev() {
    return sysFs
        .listIfPresent(path + "/vfio-dev")
        .flatMap(names -> names.stream().findFirst())
        .map(name -> CDEV_DIRECTORY + name);
  }

  /**
   * As {@link #vfioCdev}, for those who can't do without.
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
                          ? "the kernel was built without CONFIG_VFIO_DEVICE_CDEV"
                          : "the device is not bound to vfio-pci",
                      driver.contains("vfio")
                          ? "use a kernel with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV"
                          : "iolite pci bind " + address));
        });
  }

  /** The ways in which the kernel would reset it, the first choice first; empty if none works. */
  public List<String> resetMethods() {
    return sysFs
        .readIfPresent(path + "/reset_method")
        .filter(methods -> !methods.isEmpty())
        .map(methods -> List.of(methods.split(" ", -1)))
        .orElse(List.of());
  }

  /**
   * What this host would lose with the function's driver: disks that are mounted, swap, or part of
   * something, and network interfaces that are up.
   */
  public List<HostUse> hostUses() {
    return new HostUses(kernel, this).find();
  }

  /** The NUMA node it is near to; empty if the firmware does not say. */
  public OptionalInt numaNode() {
    return sysFs.readIfPresent(path + "/numa_node").stream()
        .mapToInt(Integer::parseInt)
        .filter(node -> node >= 0)
        .findFirst();
  }

  /** What the kernel says of its TSM; empty if no TSM knows it. */
  public Optional<TsmState> tsm() {
    return sysFs
        .listIfPresent(path + "/tsm")
        .map(_ -> new TsmState(tsm("connect"), tsm("bound"), tsm("dsm")));
  }

  private Optional<String> tsm(String attribute) {
    return sysFs.readIfPresent(path + "/tsm/" + attribute).filter(text -> !text.isEmpty());
  }

  private int number(String attribute) {
    return Integer.decode(sysFs.read(path + "/" + attribute));
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
