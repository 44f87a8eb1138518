package dev.iolite.kernel;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds out why a device node can't be opened. See fs/namei.c:may_open, inode_permission and
 * may_open_dev, security/device_cgroup.c:devcgroup_check_permission, drivers/char/misc.c:misc_open.
 */
final class OpenDiagnosis {
  private static final String KVM = "/dev/kvm";
  private static final String IOMMU = "/dev/iommu";
  private static final String SEV = "/dev/sev";
  private static final String UDMABUF = "/dev/udmabuf";

  /**
   * The name that VFIO gives to a device without an IOMMU
   * (drivers/vfio/vfio_main.c:vfio_init_device).
   */
  private static final String NO_IOMMU = "/dev/vfio/devices/noiommu-";

  /** The nodes that udev's own rules give to the group kvm. */
  private static final List<String> OF_GROUP_KVM = List.of(KVM, UDMABUF);

  private static final int MOUNT_POINT = 4;
  private static final int MOUNT_OPTIONS = 5;
  private static final int GROUP_ID = 2;
  private static final int CAP_DAC_OVERRIDE = 1;

  private final SysFs files;
  private final String path;

  OpenDiagnosis(SysFs files, String path) {
    this.files = files;
    this.path = path;
  }

  Optional<Advice> of(Errno errno) {
    if (!path.startsWith("/dev/")) {
      return Optional.empty();
    }
    return switch (errno) {
      case ENOENT -> missingNode().or(this::missingDriver);
      case ENODEV, ENXIO -> missingDriver();
      case EACCES -> Optional.of(isNodev() ? nodev() : denied());
      case EPERM -> Optional.of(path.startsWith(NO_IOMMU) ? noIommu() : deviceCgroup());
      case EISDIR -> Optional.of(directory());
      default -> Optional.empty();
    };
  }

  // -- the node is not there

  /** Looks up what the kernel has by its minor number (drivers/char/misc.c:misc_seq_show). */
  private Optional<Advice> missingNode() {
    String name = path.substring(path.lastIndexOf('/') + 1);
    return files
        .readIfPresent("/proc/misc")
        .flatMap(table ->
            table
                .lines()
                .map(line -> line.trim().split("\\s+", -1))
                .filter(words -> words.length == 2 && words[1].equals(name))
                .map(words -> words[0])
                .findFirst())
        .map(minor ->
            new Advice(
                "the kernel has "
                    + name
                    + ", as /proc/misc shows, but this /dev has no node of it, as in a container",
                "give the container the node (--device %s); elsewhere: mknod %s c 10 %s"
                    .formatted(path, path, minor)));
  }

  private Optional<Advice> missingDriver() {
    return switch (path) {
      case KVM ->
          Optional.of(
              new Advice(
                  "the kernel has no KVM: its module is not loaded, or the processor's"
                      + " virtualisation is off",
                  HostPlatform.of(files).kvm()));
      case IOMMU ->
          Optional.of(
              new Advice(
                  "the kernel has no iommufd: its module is not loaded, or it was not built",
                  "modprobe iommufd; if there is no such module, a kernel with CONFIG_IOMMUFD: "
                      + HostPlatform.OTHER_KERNEL,
                  Remedy.OTHER_KERNEL));
      case SEV ->
          Optional.of(
              new Advice(
                  "the kernel has no secure processor: its driver, ccp, is not loaded, or found"
                      + " none that does SEV",
                  "modprobe ccp; enable SEV-SNP in the firmware; dmesg has the driver's reason"));
      case UDMABUF ->
          Optional.of(
              new Advice(
                  "the kernel has no udmabuf",
                  "modprobe udmabuf; if there is no such module, a kernel with CONFIG_UDMABUF"));
      default -> Optional.empty();
    };
  }

  private Advice directory() {
    return new Advice(
        "it is a directory, which a container's runtime makes of a volume that the host does not"
            + " have",
        "give the container the node (--device " + path + "), on a host that has it",
        Remedy.CHECK_HOST);
  }

  // -- the node may not be opened

  /** Decided by the last of the longest matching mount points, which hides the others. */
  private boolean isNodev() {
    String[] mount = {"", "", "", "", "", ""};
    for (String line : files.readIfPresent("/proc/self/mountinfo").orElse("").lines().toList()) {
      String[] words = line.split(" ", -1);
      if (words.length > MOUNT_OPTIONS
          && isBelow(words[MOUNT_POINT])
          && words[MOUNT_POINT].length() >= mount[MOUNT_POINT].length()) {
        mount = words;
      }
    }
    return Arrays.asList(mount[MOUNT_OPTIONS].split(",", -1)).contains("nodev");
  }

  private boolean isBelow(String mountPoint) {
    return mountPoint.equals("/") || path.equals(mountPoint) || path.startsWith(mountPoint + "/");
  }

  private Advice nodev() {
    return new Advice(
        "the file system that it is on is mounted nodev, where nobody can open a device, not even"
            + " root",
        "mount -o remount,dev, with the mount point of it; give a container the node with --device "
            + path
            + " instead of a volume");
  }

  private Advice noIommu() {
    return new Advice(
        "VFIO has this device in no-IOMMU mode, and lets only CAP_SYS_RAWIO open it: its DMA"
            + " reaches all of the host's memory",
        HostPlatform.of(files).iommu());
  }

  private Advice deviceCgroup() {
    return new Advice(
        "the device cgroup of this container or unit does not allow the device, not even for root",
        "give the container the device (--device %s), or the unit DeviceAllow=%s rw"
            .formatted(path, path));
  }

  private Advice denied() {
    Credentials credentials = Credentials.of(files);
    if (!credentials.isRoot()) {
      return deniedToUser(credentials);
    }
    if (!credentials.initialNamespace()) {
      return new Advice(
          "root of this user namespace, as in a rootless container, is a plain user to the node's"
              + " owner",
          "let the user who started the container open it, and keep the groups of that user (podman"
              + " run --group-add keep-groups --device "
              + path
              + "), or start the container as root");
    }
    return credentials.has(CAP_DAC_OVERRIDE)
        ? new Advice(
            "a security module, such as SELinux or AppArmor, forbids it to this process of root",
            "dmesg or ausearch -m avc names the rule; allow it there")
        : new Advice(
            "this process of root has no CAP_DAC_OVERRIDE, and the node is not its own",
            "give it the capability (--cap-add DAC_OVERRIDE), or make root the owner of " + path);
  }

  private Advice deniedToUser(Credentials credentials) {
    OptionalLong kvm = OF_GROUP_KVM.contains(path) ? idOfGroupKvm() : OptionalLong.empty();
    if (kvm.isEmpty()) {
      return new Advice(
          "only root may open it, and this is a plain user who is in no group that may",
          "run as root, or give it to a group of this user (chgrp and chmod g+rw on "
              + path
              + "; a udev rule makes that last)");
    }
    return credentials.groups().contains(kvm.getAsLong())
        ? new Advice(
            "this user is in the group kvm, but the node does not let that group in",
            "chgrp kvm %s; chmod g+rw %s".formatted(path, path))
        : new Advice(
            "the group kvm may open it, and this user is not in that group, or was not at login",
            "usermod -aG kvm, with this user's name, as root; then log in anew");
  }

  private OptionalLong idOfGroupKvm() {
    return files
        .readIfPresent("/etc/group")
        .flatMap(table ->
            table
                .lines()
                .map(line -> line.split(":", -1))
                .filter(words -> words.length > GROUP_ID && words[0].equals("kvm"))
                .map(words -> words[GROUP_ID])
                .findFirst())
        .stream()
        .mapToLong(Long::parseLong)
        .findFirst();
  }
}
