package dev.iolite.doctor;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Finds out what a host can do for device assignment, by trying the very calls that an assignment
 * makes. Whatever is opened or made for that is gone again when the check is over.
 */
public final class Doctor {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");
  private static final int PROVED_MAJOR = 7;
  private static final int PROVED_MINOR = 3;
  private static final long PROBE_BYTES = 2 << 20;
  private static final String BUILD_KERNEL =
      "boot a kernel that has it (scripts/lab builds one to try with)";

  private final Kernel kernel;
  private final SysFs files;

  /** Examines this kernel. */
  public Doctor(Kernel kernel) {
    this.kernel = kernel;
    this.files = new SysFs(kernel);
  }

  /** Makes every check. No check depends on another one's outcome. */
  public List<Finding> examine() {
    return List.of(
        kernelVersion(),
        iommu(),
        iommuGroups(),
        iommufd(),
        memlock(),
        vfioPci(),
        vfioCdev(),
        kvm(),
        vmTypes(),
        tsm(),
        hugePages());
  }

  private Finding kernelVersion() {
    String check = "kernel";
    String release = files.read("/proc/sys/kernel/osrelease");
    Matcher version = VERSION.matcher(release);
    if (version.matches()) {
      int major = Integer.parseInt(version.group(1));
      int minor = Integer.parseInt(version.group(2));
      if (major > PROVED_MAJOR || (major == PROVED_MAJOR && minor >= PROVED_MINOR)) {
        return Finding.ok(check, "Linux " + release);
      }
    }
    return Finding.optional(
        check,
        "Linux " + release,
        "iolite is proved on Linux 7.3; older ones lack dma-buf export or mapping",
        "the checks below tell what this one has; or boot Linux 7.3 or newer");
  }

  private Finding iommu() {
    String check = "IOMMU";
    List<String> units = files.listIfPresent("/sys/class/iommu").orElse(List.of());
    if (!units.isEmpty()) {
      return Finding.ok(check, String.join(" ", units));
    }
    return Finding.missing(
        check,
        "/sys/class/iommu is empty",
        "without one no device can be given away safely",
        "enable VT-d or AMD-Vi in the firmware, and intel_iommu=on on the kernel command line");
  }

  private Finding iommuGroups() {
    String check = "IOMMU groups";
    int groups = files.listIfPresent("/sys/kernel/iommu_groups").orElse(List.of()).size();
    if (groups > 0) {
      return Finding.ok(check, groups + " groups");
    }
    return Finding.missing(
        check,
        "/sys/kernel/iommu_groups is empty",
        "no device is behind an IOMMU",
        "enable VT-d or AMD-Vi in the firmware, and intel_iommu=on on the kernel command line");
  }

  private Finding iommufd() {
    String check = "iommufd";
    try (Iommufd iommufd = Iommufd.open(kernel);
        Ioas ioas = iommufd.allocIoas()) {
      return Finding.ok(check, Iommufd.PATH + " makes " + ioas.id());
    } catch (KernelException e) {
      return Finding.missing(
          check,
          said(e),
          "devices are attached through it",
          "build the kernel with CONFIG_IOMMUFD; " + BUILD_KERNEL);
    }
  }

  private Finding memlock() {
    String check = "memlock";
    String limit = memlockLimit();
    String why = "all of a guest's memory is locked while a device is assigned; root is exempt";
    String next = "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit";
    try (Iommufd iommufd = Iommufd.open(kernel);
        Ioas ioas = iommufd.allocIoas();
        Mapping memory = Mapping.anonymous(kernel, PROBE_BYTES);
        IovaMapping _ = ioas.map(0, memory.segment(), IovaAccess.READ_WRITE)) {
      return limit.equals("unlimited")
          ? Finding.ok(check, limit)
          : Finding.optional(check, limit + "; 2 MiB could be mapped for DMA", why, next);
    } catch (KernelException e) {
      return e.call().equals("open")
          ? Finding.optional(check, limit + "; not tried, there is no iommufd", why, next)
          : Finding.missing(check, limit + "; mapping 2 MiB for DMA: " + said(e), why, next);
    }
  }

  private String memlockLimit() {
    return files
        .read("/proc/self/limits")
        .lines()
        .filter(line -> line.startsWith("Max locked memory"))
        .map(line -> line.substring("Max locked memory".length()).strip().replaceFirst("\\s.*", ""))
        .map(limit -> limit.equals("unlimited") ? limit : limit + " bytes")
        .findFirst()
        .orElse("unknown");
  }

  private Finding vfioPci() {
    String check = "vfio-pci";
    Optional<List<String>> driver = files.listIfPresent("/sys/bus/pci/drivers/vfio-pci");
    if (driver.isPresent()) {
      List<String> bound = driver.get().stream().filter(name -> name.contains(":")).toList();
      return Finding.ok(
          check, "loaded, bound to " + (bound.isEmpty() ? "nothing" : String.join(" ", bound)));
    }
    return Finding.missing(
        check,
        "no driver of that name",
        "it gives a PCI device to user space",
        "modprobe vfio-pci");
  }

  private Finding vfioCdev() {
    String check = "VFIO cdev";
    boolean registered =
        files.read("/proc/devices").lines().anyMatch(line -> line.endsWith(" vfio-dev"));
    if (registered) {
      List<String> nodes = files.listIfPresent("/dev/vfio/devices").orElse(List.of());
      return Finding.ok(check, nodes.isEmpty() ? "no device yet" : String.join(" ", nodes));
    }
    return Finding.missing(
        check,
        "no vfio-dev in /proc/devices",
        "an iommufd takes devices only through it; it appears once the vfio module is loaded",
        "modprobe vfio-pci; if that does not help, build the kernel with CONFIG_VFIO_DEVICE_CDEV");
  }

  private Finding kvm() {
    String check = "KVM";
    try (Kvm kvm = Kvm.open(kernel);
        Vm _ = kvm.createVm(VmType.DEFAULT)) {
      return Finding.ok(check, Kvm.PATH + " makes VMs, API version " + kvm.apiVersion());
    } catch (KernelException e) {
      return Finding.missing(
          check,
          said(e),
          "guests run on it",
          "enable virtualisation in the firmware; modprobe kvm_intel or kvm_amd; run as root");
    }
  }

  private Finding vmTypes() {
    String check = "confidential VMs";
    try (Kvm kvm = Kvm.open(kernel)) {
      List<VmType> made = new ArrayList<>();
      for (VmType type : kvm.vmTypes()) {
        kvm.createVm(type).close();
        made.add(type);
      }
      String types = made.stream().map(VmType::name).collect(Collectors.joining(" "));
      return made.contains(VmType.TDX) || made.contains(VmType.SNP)
          ? Finding.ok(check, types)
          : Finding.optional(
              check,
              "only " + types,
              "neither TDX nor SEV-SNP guests can be made here; plain ones can",
              "on a TDX or SEV host: enable it in the firmware, and kvm_intel.tdx=1 or kvm_amd.sev_snp=1");
    } catch (KernelException e) {
      return Finding.optional(check, said(e), "see KVM above", "see KVM above");
    }
  }

  private Finding tsm() {
    String check = "TSM";
    Optional<List<String>> managers = files.listIfPresent("/sys/class/tsm");
    if (managers.isPresent() && !managers.get().isEmpty()) {
      return Finding.ok(check, String.join(" ", managers.get()));
    }
    return Finding.optional(
        check,
        managers.isPresent() ? "/sys/class/tsm is empty" : "no /sys/class/tsm",
        "no TEE security manager: a device can be assigned, but not made private",
        managers.isPresent()
            ? "load the platform's driver (ccp on AMD, tdx-host on Intel)"
            : "build the kernel with CONFIG_PCI_TSM; " + BUILD_KERNEL);
  }

  private Finding hugePages() {
    String check = "huge pages";
    String reserved =
        files.listIfPresent("/sys/kernel/mm/hugepages").orElse(List.of()).stream()
            .map(size ->
                new Pool(size, files.read("/sys/kernel/mm/hugepages/" + size + "/nr_hugepages")))
            .filter(pool -> !pool.pages.equals("0"))
            .map(pool -> pool.pages + " x " + pool.size.replace("hugepages-", ""))
            .collect(Collectors.joining(", "));
    Optional<String> transparent =
        files.readIfPresent("/sys/kernel/mm/transparent_hugepage/enabled");
    if (!reserved.isEmpty()) {
      return Finding.ok(check, reserved);
    }
    return Finding.optional(
        check,
        "none reserved; transparent ones: " + transparent.orElse("not in this kernel"),
        "a guest's memory maps faster and uses fewer IOMMU pages with them",
        "echo 512 > /proc/sys/vm/nr_hugepages");
  }

  private record Pool(String size, String pages) {}

  private static String said(KernelException e) {
    return e.call() + " on " + e.subject() + ": " + e.errno();
  }
}
