package dev.iolite.pci;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Which processes have certain files open or mapped, by /proc. */
final class DeviceUsers {
  private DeviceUsers() {}

  /**
   * The processes that have one of the files open or mapped, as {@code 123 (java)}. Those that this
   * user may not look into are left out, as are references inside the kernel, such as that of KVM.
   */
  static List<String> of(SysFs sysFs, Set<String> files) {
    List<String> users = new ArrayList<>();
    for (String pid : sysFs.list("/proc").stream().filter(DeviceUsers::isPid).toList()) {
      String process = "/proc/" + pid;
      if (uses(sysFs, process, files)) {
        users.add(
            pid + seen(() -> sysFs.read(process + "/comm")).map(c -> " (" + c + ")").orElse(""));
      }
    }
    return users;
  }

  private static boolean isPid(String name) {
    return name.chars().allMatch(Character::isDigit);
  }

  /** A kernel thread, as most processes are, has no memory of its own, and then no files either. */
  private static boolean uses(SysFs sysFs, String process, Set<String> files) {
    String maps = seen(() -> sysFs.read(process + "/maps")).orElse("");
    return !maps.isEmpty() && (hasMapped(maps, files) || hasOpen(sysFs, process, files));
  }

  private static boolean hasMapped(String maps, Set<String> files) {
    String lines = maps + "\n";
    return files.stream().anyMatch(file -> lines.contains(" " + file + "\n"));
  }

  private static boolean hasOpen(SysFs sysFs, String process, Set<String> files) {
    String directory = process + "/fd/";
    return seen(() -> sysFs.list(directory)).orElse(List.of()).stream()
        .anyMatch(
            fd -> seen(() -> sysFs.readlink(directory + fd)).filter(files::contains).isPresent());
  }

  /** What can be seen of a process that may end any time and may be somebody else's. */
  private static <T> Optional<T> seen(Supplier<T> look) {
    try {
      return Optional.of(look.get());
    } catch (KernelException e) {
      if (Set.of(Errno.ENOENT, Errno.ESRCH, Errno.EACCES, Errno.EPERM).contains(e.errno())) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
