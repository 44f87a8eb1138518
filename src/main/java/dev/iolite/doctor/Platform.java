package dev.iolite.doctor;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whose processor the machine has, for advice that fits it. */
enum Platform {
  INTEL(
      "enable VT-d in the firmware, and boot with intel_iommu=on",
      "enable VT-x in the firmware; modprobe kvm_intel",
      "on a TDX host: enable it in the firmware, and boot with kvm_intel.tdx=1",
      "load the platform's driver, tdx-host"),
  AMD(
      "enable the IOMMU (AMD-Vi) in the firmware, and boot without amd_iommu=off",
      "enable SVM in the firmware; modprobe kvm_amd",
      "on a SEV-SNP host: enable it in the firmware, and load kvm_amd with sev_snp=1",
      "load the platform's driver, ccp"),
  /** A virtual machine on x86: it has what its hypervisor gives it. */
  VIRTUAL(
      "have the hypervisor give this virtual machine an IOMMU",
      "have the hypervisor allow nested virtualisation; modprobe kvm_intel or kvm_amd",
      "use the host itself: virtual machines have none of them",
      "use the host itself: virtual machines have none"),
  /** No x86. */
  OTHER(
      "enable the IOMMU in the firmware, and boot a kernel with its driver",
      "boot a kernel with KVM, at the privilege level that it needs",
      "iolite knows those of x86 only",
      "load the platform's driver");

  private static final Pattern VENDOR = Pattern.compile("(?m)^vendor_id\\s*:\\s*(\\w+)");
  private static final Pattern HYPERVISOR = Pattern.compile("(?m)^flags\\s*:.*\\bhypervisor\\b");

  private final String iommu;
  private final String kvm;
  private final String confidential;
  private final String tsm;

  Platform(String iommu, String kvm, String confidential, String tsm) {
    this.iommu = iommu;
    this.kvm = kvm;
    this.confidential = confidential;
    this.tsm = tsm;
  }

  /** By /proc/cpuinfo, whose vendor_id and flags are found on x86; other if it can't be read. */
  static Platform of(SysFs files) {
    String processors = processors(files);
    if (HYPERVISOR.matcher(processors).find()) {
      return VIRTUAL;
    }
    Matcher vendor = VENDOR.matcher(processors);
    return switch (vendor.find() ? vendor.group(1) : "") {
      case "GenuineIntel", "CentaurHauls" -> INTEL;
      case "AuthenticAMD", "HygonGenuine" -> AMD;
      default -> OTHER;
    };
  }

  private static String processors(SysFs files) {
    try {
      return files.read("/proc/cpuinfo");
    } catch (KernelException e) {
      return "";
    }
  }

  /** How it gets an IOMMU. */
  String iommu() {
    return iommu;
  }

  /** How it gets KVM. */
  String kvm() {
    return kvm;
  }

  /** How it gets confidential VMs. */
  String confidential() {
    return confidential;
  }

  /** How it gets a TEE security manager. */
  String tsm() {
    return tsm;
  }
}
