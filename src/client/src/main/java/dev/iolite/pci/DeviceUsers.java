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
 * What every process has open or mapped, according to /proc at the time when this object was made.
 * References inside the kernel, such as KVM's, are left out, and so are processes of other PID
 * namespaces. Processes that this one may not inspect are {@link #unseen}.
 */
final class DeviceUsers {
  /**
   * The names of descriptors of VFIO devices: that of the device's node or, if the descriptor came
   * from a group, one that does not identify the device
   * (drivers/vfio/group.c:vfio_device_open_file).
   */
  private static final Pattern VFIO = Pattern.compile("/dev/vfio/devices/.*|anon_inode:\\[vfio-.*");

  /** Names the device of such a descriptor (drivers/vfio/vfio_main.c:vfio_device_show_fdinfo). */
  private static final Pattern VFIO_DEVICE =
      Pattern.compile("^vfio-device-syspath:\\s*(\\S+)$", Pattern.MULTILINE);

  /** What follows the name of a node that was removed while it was open. */
  private static final String DELETED = " (deleted)";

  /** The fields of a line of maps before the name. */
  private static final int MAP_FIELDS = 5;

  private final SysFs sysFs;
  private final List<Holder> holders = new ArrayList<>();
  private final Set<String> unseen = new LinkedHashSet<>();

  private record Holder(String pid, Set<String> files) {}

  /** Inspects all processes. */
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
   * @param files names of nodes, and directories of PCI functions below /sys, which stand for what
   *     is open through VFIO
   */
  List<String> of(Collection<String> files) {
    return holders.stream()
        .filter(holder -> files.stream().anyMatch(holder.files::contains))
        .map(holder -> holder.pid + comm(holder.pid))
        .toList();
  }

  /**
   * The processes that hide what they have open: those of other users, and those with capabilities
   * that this one lacks. Only CAP_SYS_PTRACE shows them (kernel/ptrace.c:__ptrace_may_access,
   * security/commoncap.c:cap_ptrace_access_check).
   */
  List<String> unseen() {
    return unseen.stream().map(pid -> pid + comm(pid)).toList();
  }

  private String comm(String pid) {
    return seen(pid, () -> sysFs.read("/proc/" + pid + "/comm"))
        .map(c -> " (" + c + ")")
        .orElse("");
  }

  /** Most processes are kernel threads, which have no memory of their own, and no files either. */
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

  /** What can be seen of a process that may end at any time and may belong to somebody else. */
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
