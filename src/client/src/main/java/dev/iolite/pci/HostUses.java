package dev.iolite.pci;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds what this host uses through a function: disks, network interfaces and nodes that processes
 * hold. All of these are below the function in sysfs, no matter which drivers are in between.
 */
final class HostUses {
  private static final String BLOCK = "/sys/class/block/";
  private static final String NET = "/sys/class/net/";
  private static final String BTRFS = "/sys/fs/btrfs/";

  /** Every node of the machine, by its number. */
  private static final List<String> NODES = List.of("/sys/dev/char/", "/sys/dev/block/");

  private static final String DEVICE_NAME = "DEVNAME=";

  private static final int MOUNT_DEVICE = 2;
  private static final int MOUNT_POINT = 4;

  /**
   * One of several paths to an NVMe disk. The disk itself, which has the same name without the
   * path's number, is not below any function (drivers/nvme/host/core.c:nvme_alloc_ns).
   */
  private static final Pattern NVME_PATH = Pattern.compile("(nvme\\d+)c\\d+(n\\d+)");

  /**
   * The states of an interface that is switched off or has no link
   * (net/core/net-sysfs.c:operstates).
   */
  private static final Set<String> DOWN = Set.of("down", "lowerlayerdown", "notpresent");

  private final Kernel kernel;
  private final SysFs files;
  private final Path function;

  HostUses(Kernel kernel, PciDevice device) {
    this.kernel = kernel;
    this.files = device.sysFs();
    this.function = device.directory();
  }

  List<HostUse> find() {
    List<Entry> disks = entries(BLOCK);
    List<Path> roots = roots(disks);
    return Stream.of(
            disks.stream().filter(disk -> isBelow(disk, roots)).flatMap(disk -> ofDisk(disk.name)),
            interfaces(),
            heldNodes(roots))
        .flatMap(uses -> uses)
        .toList();
  }

  private static boolean isBelow(Entry entry, List<Path> roots) {
    return roots.stream().anyMatch(entry.path::startsWith);
  }

  /** The function, and the NVMe disks that it is one of several paths to. */
  private List<Path> roots(List<Entry> all) {
    Set<String> heads =
        all.stream()
            .filter(disk -> disk.path.startsWith(function))
            .map(disk -> NVME_PATH.matcher(disk.name))
            .filter(Matcher::matches)
            .map(parts -> parts.group(1) + parts.group(2))
            .collect(Collectors.toSet());
    return Stream.concat(
            Stream.of(function),
            all.stream().filter(disk -> heads.contains(disk.name)).map(Entry::path))
        .toList();
  }

  /**
   * The nodes that processes hold. When the function is taken away, many drivers wait for these
   * processes, as does drivers/infiniband/core/uverbs_main.c:ib_uverbs_remove_one; others take the
   * device away from under them. {@link HostSafety} checks VFIO's nodes.
   */
  private Stream<HostUse> heldNodes(List<Path> roots) {
    List<String> nodes =
        NODES.stream()
            .flatMap(directory ->
                entries(directory).stream()
                    .filter(entry -> isBelow(entry, roots) && !isVfio(entry))
                    .flatMap(entry -> nodeName(directory + entry.name).stream()))
            .distinct()
            .toList();
    if (nodes.isEmpty()) {
      return Stream.empty();
    }
    DeviceUsers users = new DeviceUsers(files);
    return nodes.stream()
        .flatMap(node ->
            users.of(List.of(node)).stream()
                .map(process ->
                    new HostUse(
                        node + " is open in process " + process,
                        "end process " + process + ", or let it close " + node)));
  }

  private boolean isVfio(Entry entry) {
    return entry.path.startsWith(function.resolve("vfio-dev"));
  }

  /**
   * The name that the kernel gives to a node. The node in devtmpfs has it; there may be others with
   * other names.
   */
  private Optional<String> nodeName(String entry) {
    return files.readIfPresent(entry + "/uevent").stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith(DEVICE_NAME))
        .map(line -> "/dev/" + line.substring(DEVICE_NAME.length()))
        .findFirst();
  }

  private Stream<HostUse> ofDisk(String disk) {
    List<HostUse> known =
        Stream.of(mounted(disk), swappedTo(disk), held(disk), inBtrfs(disk))
            .flatMap(Optional::stream)
            .toList();
    return known.isEmpty() ? claimed(disk).stream() : known.stream();
  }

  /**
   * Whoever uses a disk claims it, in whatever namespace, and then nobody else can open it
   * exclusively (block/bdev.c:bd_may_claim). This finds ZFS, and file systems that another
   * container has mounted.
   */
  private Optional<HostUse> claimed(String disk) {
    int fd = Fd.tryOpen(kernel, node(disk), Libc.O_RDONLY() | Libc.O_EXCL());
    if (fd >= 0) {
      Fd.owned(kernel, FdKind.FILE, fd, node(disk)).close();
    }
    return fd == Errno.EBUSY.negated()
        ? Optional.of(
            new HostUse(
                disk + " is claimed by a file system, swap or volume manager",
                "lsblk " + node(disk) + " and fuser -vm " + node(disk) + " show by which"))
        : Optional.empty();
  }

  /**
   * Looks by the device's number, because the name is not reliable: the root file system's is often
   * {@code /dev/root}, which does not exist.
   */
  private Optional<HostUse> mounted(String disk) {
    return files
        .readIfPresent(BLOCK + disk + "/dev")
        .flatMap(number ->
            table("/proc/self/mountinfo")
                .filter(words -> words[MOUNT_DEVICE].equals(number))
                .findFirst())
        .map(words ->
            new HostUse(
                disk + " is mounted at " + words[MOUNT_POINT],
                "umount --all-targets " + node(disk)));
  }

  private Optional<HostUse> swappedTo(String disk) {
    return table("/proc/swaps")
        .filter(words -> words[0].equals(node(disk)))
        .findFirst()
        .map(_ -> new HostUse(disk + " is swap", "swapoff " + node(disk)));
  }

  private Optional<HostUse> held(String disk) {
    return files
        .listIfPresent(BLOCK + disk + "/holders")
        .filter(holders -> !holders.isEmpty())
        .map(holders ->
            new HostUse(
                disk + " is part of " + String.join(", ", holders),
                "lsblk " + node(disk) + " shows the RAID, LVM or encryption to stop"));
  }

  /** A btrfs file system has its own device number, and may lie on several disks. */
  private Optional<HostUse> inBtrfs(String disk) {
    return files.listIfPresent(BTRFS).orElse(List.of()).stream()
        .filter(id -> files.exists(BTRFS + id + "/devices/" + disk))
        .findFirst()
        .map(id ->
            new HostUse(
                disk + " is part of a mounted btrfs",
                "umount it; findmnt --source UUID=" + id + " shows where it is"));
  }

  private Stream<HostUse> interfaces() {
    return entries(NET).stream()
        .filter(entry -> entry.path.startsWith(function))
        .map(Entry::name)
        .filter(this::isUp)
        .map(name ->
            new HostUse("network interface " + name + " is up", "ip link set " + name + " down"));
  }

  private boolean isUp(String name) {
    return files
        .readIfPresent(NET + name + "/operstate")
        .filter(state -> !DOWN.contains(state))
        .isPresent();
  }

  /** The device's file; a name in sysfs cannot contain a slash. */
  private static String node(String disk) {
    return "/dev/" + disk.replace('!', '/');
  }

  private Stream<String[]> table(String file) {
    return files.readIfPresent(file).stream()
        .flatMap(String::lines)
        .map(line -> line.split("\\s+", -1));
  }

  /**
   * A device of a class.
   *
   * @param path its directory below /sys/devices
   */
  private record Entry(String name, Path path) {}

  /** The devices of a class, without those that have just gone. */
  private List<Entry> entries(String directory) {
    List<Entry> entries = new ArrayList<>();
    for (String name : files.listIfPresent(directory).orElse(List.of())) {
      try {
        entries.add(new Entry(name, target(directory + name)));
      } catch (KernelException e) {
        // EINVAL: no link, such as bonding_masters.
        if (e.errno() != Errno.ENOENT && e.errno() != Errno.EINVAL) {
          throw e;
        }
      }
    }
    return entries;
  }

  /**
   * The directory in sysfs to which a link leads; the directory that contains the link must not
   * itself be a link.
   */
  private Path target(String link) {
    return Path.of(link).resolveSibling(files.readlink(link)).normalize();
  }
}
