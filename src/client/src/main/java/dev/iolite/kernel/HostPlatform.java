package dev.iolite.kernel;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The vendor of the machine's processor, for advice that fits it. */
public enum HostPlatform {
  /** An Intel processor, with VT-d, VT-x and TDX. */
  INTEL(
      "enable VT-d in the firmware, and boot with intel_iommu=on",
      "enable VT-x in the firmware; modprobe kvm_intel",
      "on a TDX host: enable it in the firmware, and boot with kvm_intel.tdx=1",
      "load the platform's driver, tdx-host"),
  /** An AMD processor, with AMD-Vi, SVM and SEV. */
  AMD(
      "enable the IOMMU (AMD-Vi) in the firmware, and boot without amd_iommu=off",
      "enable SVM in the firmware; modprobe kvm_amd",
      "on a SEV-SNP host: enable it in the firmware, and load kvm_amd with sev_snp=1",
      "load the platform's driver, ccp"),
  /** A virtual machine on x86, which has what its hypervisor provides. */
  VIRTUAL(
      "have the hypervisor give this virtual machine an IOMMU",
      "have the hypervisor allow nested virtualisation; modprobe kvm_intel or kvm_amd",
      "use the host itself: virtual machines have none of them",
      "use the host itself: virtual machines have none"),
  /** The vendor is not shown. */
  UNKNOWN(
      "enable the IOMMU in the firmware, and boot without switching it off",
      "enable virtualisation in the firmware; modprobe kvm_intel or kvm_amd",
      "KVM_CAP_VM_TYPES has the types of VM",
      "load the platform's driver"),
  /** Not an x86 processor. */
  OTHER(
      "enable the IOMMU in the firmware, and boot a kernel with its driver",
      "boot a kernel with KVM, at the privilege level that it needs",
      "only those of x86 are known here",
      "load the platform's driver");

  /** What to do if the kernel lacks something. */
  public static final String OTHER_KERNEL = "boot Linux 7.3 or newer";

  private static final Pattern VENDOR = Pattern.compile("(?m)^vendor_id\\s*:\\s*(\\w+)");
  private static final Pattern HYPERVISOR = Pattern.compile("(?m)^flags\\s*:.*\\bhypervisor\\b");

  private final String iommu;
  private final String kvm;
  private final String confidential;
  private final String tsm;

  HostPlatform(String iommu, String kvm, String confidential, String tsm) {
    this.iommu = iommu;
    this.kvm = kvm;
    this.confidential = confidential;
    this.tsm = tsm;
  }

  /**
   * Reads it from /proc/cpuinfo, which has vendor_id and flags on x86; unknown if that cannot be
   * read.
   */
  public static HostPlatform of(SysFs files) {
    String processors;
    try {
      processors = files.read("/proc/cpuinfo");
    } catch (KernelException e) {
      return UNKNOWN;
    }
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

  /** How such a machine gets an IOMMU. */
  public String iommu() {
    return iommu;
  }

  /** How such a machine gets KVM. */
  public String kvm() {
    return kvm;
  }

  /** How such a machine gets confidential VMs. */
  public String confidential() {
    return confidential;
  }

  /** How such a machine gets a TEE security manager. */
  public String tsm() {
    return tsm;
  }
}
