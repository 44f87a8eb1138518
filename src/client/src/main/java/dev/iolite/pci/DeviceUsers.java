package dev.iolite.pci;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * What every process has open or mapped according to /proc, at the time when this object was made.
 * References inside the kernel, such as that of KVM, are left out, and so are processes of other
 * PID namespaces. Processes that this one may not inspect are {@link #unseen}.
 */
final class DeviceUsers {
  /**
   * How a descriptor of a VFIO device is called: by its node, or, if it came from a group, by
   * nothing of the device's (drivers/vfio/group.c:vfio_device_open_file).
   */
  private static final Pattern VFIO = Pattern.compile("/dev/vfio/devices/.*|anon_inode:\\[vfio-.*");

  /** Which device that is (drivers/vfio/vfio_main.c:vfio_device_show_fdinfo). */
  private static final Pattern VFIO_DEVICE =
      Pattern.compile("^vfio-device-syspath:\\s*(\\S+)$", Pattern.MULTILINE);

  /** What follows the name of a node that has been taken away while it was open. */
  private static final String DELETED = " (deleted)";

  /** The fields of a line of maps before the name. */
  private static final int MAP_FIELDS = 5;

  private final SysFs sysFs;
  private final List<Holder> holders = new ArrayList<>();
  private final Set<String> unseen = new LinkedHashSet<>();

  private record Holder(String pid, Set<String> files) {}

  /** Looks at all processes. */
  DeviceUsers(SysFs sysFs) {
    this.sysFs = sysFs;
    for (String pid : sysFs.listIfPresent("/proc").orElse(List.of())) {
      if (pid.chars().allMatch(Character::isDigit)) {
        Set<String> files = filesOf(pid);
        if (!files.isEmpty()) {
          holders.add(new Holder(pid, files));
        }
      }
    }
  }

  /**
   * The processes that have one of the files open or mapped, as {@code 123 (java)}.
   *
   * @param files names of nodes, and directories of PCI functions below /sys for what is open of
   *     them through VFIO
   */
  List<String> of(Collection<String> files) {
    return holders.stream()
        .filter(holder -> files.stream().anyMatch(holder.files::contains))
        .map(holder -> holder.pid + comm(holder.pid))
        .toList();
  }

  /**
   * The processes of which nobody says here what they have open: of other users, or with
   * capabilities that this one does not have. Only CAP_SYS_PTRACE shows them
   * (kernel/ptrace.c:__ptrace_may_access, security/commoncap.c:cap_ptrace_access_check).
   */
  List<String> unseen() {
    return unseen.stream().map(pid -> pid + comm(pid)).toList();
  }

  private String comm(String pid) {
    return seen(pid, () -> sysFs.read("/proc/" + pid + "/comm"))
        .map(c -> " (" + c + ")")
        .orElse("");
  }

  /** A kernel thread, as most processes are, has no memory of its own, and then no files either. */
  private Set<String> filesOf(String pid) {
    String process = "/proc/" + pid;
    String maps = seen(pid, () -> sysFs.read(process + "/maps")).orElse("");
    if (maps.isEmpty()) {
      return Set.of();
    }
    Set<String> files = new HashSet<>();
    maps.lines()
        .map(line -> line.split(" +", MAP_FIELDS + 1))
        .filter(fields -> fields.length > MAP_FIELDS)
        .forEach(fields -> files.add(name(fields[MAP_FIELDS])));
    for (String fd : seen(pid, () -> sysFs.list(process + "/fd")).orElse(List.of())) {
      seen(pid, () -> sysFs.readlink(process + "/fd/" + fd))
          .ifPresent(link -> {
            files.add(name(link));
            if (VFIO.matcher(link).matches()) {
              files.addAll(vfioDevices(pid, process + "/fdinfo/" + fd));
            }
          });
    }
    return files;
  }

  private List<String> vfioDevices(String pid, String fdInfo) {
    return seen(pid, () -> sysFs.read(fdInfo)).stream()
        .flatMap(text -> VFIO_DEVICE.matcher(text).results())
        .map(found -> found.group(1))
        .toList();
  }

  private static String name(String link) {
    return link.endsWith(DELETED) ? link.substring(0, link.length() - DELETED.length()) : link;
  }

  /** What can be seen of a process that may end any time and may be somebody else's. */
  private <T> Optional<T> seen(String pid, Supplier<T> look) {
    try {
      return Optional.of(look.get());
    } catch (KernelException e) {
      switch (e.errno()) {
        case ENOENT, ESRCH -> {}
        case EACCES, EPERM -> unseen.add(pid);
        default -> throw e;
      }
      return Optional.empty();
    }
  }
}
