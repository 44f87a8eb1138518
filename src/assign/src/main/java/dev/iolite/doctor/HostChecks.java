package dev.iolite.doctor;

import dev.iolite.kernel.HostPlatform;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Checks what sysfs and procfs show about the machine. */
final class HostChecks {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");
  private static final int PROVED_MAJOR = 7;
  private static final int PROVED_MINOR = 3;

  /** The mock IOMMU of the kernel's self-tests, which is not in front of any real device. */
  private static final String MOCK_IOMMU = "iommufd_selftest_iommu";

  private static final String HUGE_PAGES = "/sys/kernel/mm/hugepages";

  private final Kernel kernel;
  private final SysFs files;
  private final HostPlatform platform;

  HostChecks(Kernel kernel, HostPlatform platform) {
    this.kernel = kernel;
    this.files = new SysFs(kernel);
    this.platform = platform;
  }

  Finding kernelVersion() {
    Need need =
        Need.ofKernel(
            "kernel",
            Finding.Status.OPTIONAL,
            Need.Codes.ofFiles(FindingCode.OLD_KERNEL, FindingCode.KERNEL_UNREAD),
            "iolite is proved on Linux 7.3; older ones lack dma-buf export or mapping",
            "the checks below tell what this one has; or ");
    return need.look(() -> {
      String release = files.read("/proc/sys/kernel/osrelease");
      return isProved(release) ? need.ok("Linux " + release) : need.absent("Linux " + release);
    });
  }

  private static boolean isProved(String release) {
    Matcher version = VERSION.matcher(release);
    if (!version.matches()) {
      return false;
    }
    int major = Integer.parseInt(version.group(1));
    int minor = Integer.parseInt(version.group(2));
    return major > PROVED_MAJOR || (major == PROVED_MAJOR && minor >= PROVED_MINOR);
  }

  Finding iommu(DeviceTrial trial) {
    Need need =
        new Need(
            "IOMMU",
            Finding.Status.MISSING,
            Need.Codes.ofFiles(FindingCode.NO_IOMMU, FindingCode.IOMMU_UNREAD),
            "without one, no device can be assigned safely",
            platform.iommu());
    return need.look(
        trial,
        () -> {
          List<String> units =
              files.listIfPresent("/sys/class/iommu").orElse(List.of()).stream()
                  .filter(unit -> !unit.startsWith(MOCK_IOMMU))
                  .toList();
          return units.isEmpty()
              ? need.absent("/sys/class/iommu has none")
              : need.ok(String.join(" ", units));
        });
  }

  Finding iommuGroups(DeviceTrial trial) {
    Need need =
        new Need(
            "IOMMU groups",
            Finding.Status.MISSING,
            Need.Codes.ofFiles(FindingCode.NO_IOMMU_GROUP, FindingCode.IOMMU_GROUPS_UNREAD),
            "a device can only be assigned together with all of its group",
            platform.iommu());
    return need.look(
        trial,
        () -> {
          List<PciDevice> devices = new Pci(kernel).devices();
          List<String> groups = devices.stream().flatMap(device -> group(device).stream()).toList();
          return groups.isEmpty()
              ? need.absent("none of " + devices.size() + " PCI devices is in one")
              : need.ok(
                  groups.stream().distinct().count()
                      + ", with "
                      + groups.size()
                      + " of "
                      + devices.size()
                      + " PCI devices");
        });
  }

  private Optional<String> group(PciDevice device) {
    return files.linkName(device.path() + "/iommu_group").filter(_ -> device.hasIommu());
  }

  Finding tsm() {
    Need need =
        Need.ofKernel(
            "TSM",
            Finding.Status.OPTIONAL,
            Need.Codes.ofFiles(FindingCode.NO_TSM_CLASS, FindingCode.TSM_UNREAD),
            "no TEE security manager: a device can be assigned, but not made private",
            "a kernel with CONFIG_PCI_TSM; ");
    return need.look(() -> {
      Optional<List<String>> managers = files.listIfPresent("/sys/class/tsm");
      if (managers.isEmpty()) {
        return need.absent("no /sys/class/tsm");
      }
      return managers.get().isEmpty()
          ? need.lacks(FindingCode.NO_TSM, "/sys/class/tsm is empty", platform.tsm())
          : need.ok(String.join(" ", managers.get()));
    });
  }

  Finding hugePages() {
    Need need =
        new Need(
            "huge pages",
            Finding.Status.OPTIONAL,
            Need.Codes.ofFiles(FindingCode.NO_HUGE_PAGES, FindingCode.HUGE_PAGES_UNREAD),
            "a guest's memory maps faster and uses fewer IOMMU pages with them",
            "echo 512 > /proc/sys/vm/nr_hugepages");
    return need.look(() -> {
      String reserved =
          files.listIfPresent(HUGE_PAGES).orElse(List.of()).stream()
              .map(size -> new Pool(size, files.read(HUGE_PAGES + "/" + size + "/nr_hugepages")))
              .filter(pool -> !pool.pages.equals("0"))
              .map(pool -> pool.pages + " x " + pool.size.replace("hugepages-", ""))
              .collect(Collectors.joining(", "));
      return reserved.isEmpty()
          ? need.absent("none reserved; transparent ones: " + transparent())
          : need.ok(reserved);
    });
  }

  private String transparent() {
    return files
        .readIfPresent("/sys/kernel/mm/transparent_hugepage/enabled")
        .orElse("not in this kernel");
  }

  private record Pool(String size, String pages) {}
}
