package dev.iolite.pci;

import dev.iolite.kernel.SysFs;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The NVMe disks of a function, and whether this host lives on them. */
final class Disks {
  private static final List<String> TABLES = List.of("/proc/mounts", "/proc/swaps");

  private Disks() {}

  /** The disks that are mounted, swapped to, or part of something (RAID, LVM, encryption). */
  static List<String> inUse(PciDevice device) {
    SysFs files = device.sysFs();
    List<String> used =
        TABLES.stream()
            .map(files::readIfPresent)
            .flatMap(Optional::stream)
            .flatMap(String::lines)
            .map(line -> line.replaceFirst("\\s.*", ""))
            .toList();
    return disks(device)
        .filter(disk ->
            used.stream().anyMatch(u -> u.startsWith("/dev/" + disk.name))
                || disk.hasHolders(files))
        .map(Disk::name)
        .toList();
  }

  private static Stream<Disk> disks(PciDevice device) {
    SysFs files = device.sysFs();
    String controllers = device.path() + "/nvme";
    return files.listIfPresent(controllers).orElse(List.of()).stream()
        .map(controller -> controllers + "/" + controller)
        .flatMap(path ->
            files.list(path).stream()
                .filter(name -> files.exists(path + "/" + name + "/holders"))
                .map(name -> new Disk(name, path + "/" + name)));
  }

  private record Disk(String name, String path) {
    boolean hasHolders(SysFs files) {
      return Stream.concat(
              Stream.of(path),
              files.list(path).stream().filter(n -> n.startsWith(name)).map(n -> path + "/" + n))
          .anyMatch(part -> !files.listIfPresent(part + "/holders").orElse(List.of()).isEmpty());
    }
  }
}
