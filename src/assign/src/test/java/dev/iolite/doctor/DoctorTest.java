package dev.iolite.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the checks say of hosts that lack something or refuse it. */
class DoctorTest {
  private static final String INTEL = "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme\n";
  private static final String AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu vme\n";
  private static final String VIRTUAL =
      "vendor_id\t: GenuineIntel\nflags\t\t: fpu hypervisor vme\n";
  private static final String ARM = "processor\t: 0\nCPU implementer\t: 0x41\n";
  private static final String NOT_ROOT = "CapEff:\t0000000000000000\n";
  private static final String ROOT = "CapEff:\t000001ffffffffff\n";
  private static final String ALL_USERS = "         0          0 4294967295\n";

  @TempDir private Path root;
  private PretendHost host;

  @BeforeEach
  void pretend() {
    host = new PretendHost(root);
  }

  @AfterEach
  void nothingStaysOpen() {
    assertThat(host.leftOpen()).isEmpty();
  }

  private Finding find(String check) {
    return new Doctor(host)
        .examine().stream().filter(f -> f.check().equals(check)).findFirst().orElseThrow();
  }

  @Test
  void aUserWhoMayNotOpenIommufdNeedsPermissionAndNoOtherKernel() {
    host.refuse("/dev/iommu", Errno.EACCES);

    Finding finding = find("iommufd");

    assertThat(finding.status()).isEqualTo(Finding.Status.MISSING);
    assertThat(finding.observed()).isEqualTo("open on /dev/iommu: EACCES");
    assertThat(finding.why()).doesNotContain("no iommufd");
    assertThat(finding.next()).doesNotContain("CONFIG", "modprobe");
  }

  @ParameterizedTest
  @EnumSource(names = {"ENOENT", "ENODEV", "ENXIO"})
  void aKernelWithoutIommufdNeedsTheModuleOrAnotherKernel(Errno errno) throws IOException {
    host.refuse("/dev/iommu", errno).file("/proc/misc", "232 kvm\n");

    assertThat(find("iommufd").next()).contains("modprobe iommufd", "CONFIG_IOMMUFD");
    assertThat(find("dma-buf export").observed())
        .isEqualTo("not tried: open on /dev/iommu: " + errno);
    assertThat(find("dma-buf export").next()).isEqualTo("see iommufd");
  }

  @Test
  void aFileThatIsNoIommufdLacksTheCalls() throws IOException {
    host.file("/dev/iommu", "");

    Finding finding = find("iommufd");

    assertThat(finding.observed()).startsWith("IOMMU_IOAS_ALLOC").endsWith("ENOTTY");
    assertThat(finding.code()).contains(FindingCode.IOMMUFD_FAILED);
    assertThat(finding.next()).contains("boot Linux 7.3");
  }

  @Test
  void theDevicesThatAreGivenToUserSpaceAreNamed() throws IOException {
    String driver = "/sys/bus/pci/drivers/vfio-pci/";
    host.file(driver + "bind", "").file(driver + "new_id", "");
    assertThat(find("vfio-pci").observed()).isEqualTo("loaded, bound to nothing");
    host.directory(driver + "0000:00:07.0");
    assertThat(find("vfio-pci").observed()).isEqualTo("loaded, bound to 0000:00:07.0");
  }

  @Test
  void aUserWhoMayNotOpenKvmNeedsPermission() {
    host.refuse("/dev/kvm", Errno.EACCES);

    for (String check : new String[] {"KVM", "confidential VMs"}) {
      assertThat(find(check).why()).doesNotContain("no KVM");
      assertThat(find(check).next()).doesNotContain("firmware", "modprobe");
    }
  }

  @Test
  void everyFileThatIsRefusedIsAFindingAndNoException() {
    for (String path :
        new String[] {
          "/dev/kvm",
          "/dev/iommu",
          "/proc/cpuinfo",
          "/proc/devices",
          "/proc/self/limits",
          "/proc/sys/kernel/osrelease",
          "/sys/class/iommu",
          "/sys/class/tsm",
          "/sys/bus/pci/devices",
          "/sys/bus/pci/drivers/vfio-pci",
          "/sys/kernel/mm/hugepages"
        }) {
      host.refuse(path, Errno.EACCES);
    }

    assertThat(new Doctor(host).examine())
        .hasSize(13)
        .extracting(f -> f.code().orElseThrow())
        .doesNotHaveDuplicates()
        .contains(
            FindingCode.KERNEL_UNREAD,
            FindingCode.IOMMU_UNREAD,
            FindingCode.IOMMU_GROUPS_UNREAD,
            FindingCode.IOMMUFD_FORBIDDEN,
            FindingCode.MEMLOCK_UNREAD,
            FindingCode.VFIO_PCI_UNREAD,
            FindingCode.VFIO_CDEV_UNREAD,
            FindingCode.KVM_FORBIDDEN,
            FindingCode.VM_TYPES_UNREAD,
            FindingCode.TSM_UNREAD,
            FindingCode.HUGE_PAGES_UNREAD);
    assertThat(new Doctor(host).examine())
        .allSatisfy(f -> assertThat(f.status()).as(f.check()).isNotEqualTo(Finding.Status.OK))
        .allSatisfy(f -> assertThat(f.next()).as(f.check()).isNotBlank())
        .allSatisfy(f -> assertThat(f.why()).as(f.check()).isNotBlank());
  }

  @Test
  void whatTheProcFilesDoNotHaveIsAFinding() throws IOException {
    host.file("/proc/self/limits", "nothing\n");

    assertThat(find("memlock").status()).isEqualTo(Finding.Status.OPTIONAL);
    assertThat(find("memlock").observed()).contains("/proc/self/limits has no line");
  }

  private Finding memlock(String limit, String status, String users) throws IOException {
    host.file(
        "/proc/self/limits",
        "Max processes             7823                 7823                 processes \n"
            + "Max locked memory         "
            + limit
            + "              unlimited            bytes     \n");
    host.file("/proc/self/status", status);
    host.file("/proc/self/uid_map", users);
    host.refuse("/dev/iommu", Errno.ENOENT);
    return find("memlock");
  }

  @Test
  void aLimitBelowWhatPassthroughLocksIsTooLow() throws IOException {
    Finding finding = memlock("65536", NOT_ROOT, ALL_USERS);

    assertThat(finding.status()).isEqualTo(Finding.Status.MISSING);
    assertThat(finding.observed()).startsWith("65536 bytes; not tried: ").contains("2 MiB");
    assertThat(finding.code()).contains(FindingCode.MEMLOCK_TOO_LOW);
    assertThat(finding.next()).contains("ulimit -l");
  }

  @Test
  void aLimitThatSomeGuestsFitIntoIsNotAllRight() throws IOException {
    Finding finding = memlock("8388608", NOT_ROOT, ALL_USERS);

    assertThat(finding.status()).isEqualTo(Finding.Status.OPTIONAL);
    assertThat(finding.observed()).contains("8388608 bytes", "not tried", "enough");
    assertThat(finding.code()).contains(FindingCode.MEMLOCK_LIMITED);
  }

  @Test
  void rootHasNoLimit() throws IOException {
    Finding finding = memlock("65536", ROOT, ALL_USERS);

    assertThat(finding.status()).isEqualTo(Finding.Status.OK);
    assertThat(finding.observed()).contains("65536 bytes", "CAP_IPC_LOCK", "not tried");
  }

  @Test
  void rootOfAUserNamespaceHasALimit() throws IOException {
    assertThat(memlock("65536", ROOT, "         0       1000          1\n").status())
        .isEqualTo(Finding.Status.MISSING);
  }

  @Test
  void noLimitIsNoLimit() throws IOException {
    assertThat(memlock("unlimited", NOT_ROOT, ALL_USERS).status()).isEqualTo(Finding.Status.OK);
  }

  @Test
  void theMockIommuDoesNotCount() throws IOException {
    host.directory("/sys/class/iommu/iommufd_selftest_iommu");

    assertThat(find("IOMMU").status()).isEqualTo(Finding.Status.MISSING);
    assertThat(find("IOMMU").code()).contains(FindingCode.NO_IOMMU);
  }

  @Test
  void aClassOfTsmsWithoutAnyIsNotAKernelWithoutTheClass() throws IOException {
    host.refuse("/sys/class/tsm", Errno.ENOENT);
    assertThat(find("TSM").code()).contains(FindingCode.NO_TSM_CLASS);

    host = new PretendHost(root).directory("/sys/class/tsm");
    assertThat(find("TSM").code()).contains(FindingCode.NO_TSM);
  }

  @Test
  void whatIsOkHasNoCodeAndNothingElseIsWithout() {
    assertThat(Finding.ok("IOMMU", "ivhd0").code()).isEmpty();
    assertThatThrownBy(() ->
            new Finding(
                "IOMMU", Finding.Status.MISSING, "none", Optional.empty(), new Advice("a", "b")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() ->
            new Finding(
                "IOMMU",
                Finding.Status.OK,
                "ivhd0",
                Optional.of(FindingCode.NO_IOMMU),
                new Advice("", "")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anIommuIsFoundWithoutVfio() throws IOException {
    host.directory("/sys/class/iommu/ivhd0").refuse("/sys/bus/pci/drivers/vfio-pci", Errno.ENOENT);

    assertThat(find("IOMMU")).isEqualTo(Finding.ok("IOMMU", "ivhd0"));
    assertThat(find("vfio-pci").next()).isEqualTo("modprobe vfio-pci");
  }

  @Test
  void theAdviceFitsTheProcessor() throws IOException {
    host.directory("/sys/class/iommu").directory("/sys/bus/pci/devices");

    for (String check : new String[] {"IOMMU", "IOMMU groups"}) {
      host.file("/proc/cpuinfo", INTEL);
      assertThat(find(check).next()).contains("VT-d", "intel_iommu=on").doesNotContain("AMD");
      host.file("/proc/cpuinfo", AMD);
      assertThat(find(check).next()).contains("AMD-Vi").doesNotContain("VT-d", "intel");
      host.file("/proc/cpuinfo", VIRTUAL);
      assertThat(find(check).next()).contains("hypervisor").doesNotContain("VT-d", "firmware");
      host.file("/proc/cpuinfo", ARM);
      assertThat(find(check).next()).doesNotContain("VT-d", "AMD", "intel");
    }
  }

  @Test
  void aMachineThatIsNoX86RunsNoX86Guest() throws IOException {
    assumeKvm();
    host.file("/proc/cpuinfo", ARM);

    assertThat(find("KVM").observed()).contains("no guest was tried");
    assertThat(find("KVM").code()).contains(FindingCode.KVM_UNTRIED);
  }

  @Test
  void kvmRunsAGuest() {
    assumeKvm();

    Finding finding = find("KVM");

    assertThat(finding.status()).as(finding.toString()).isEqualTo(Finding.Status.OK);
    assertThat(finding.observed()).contains("VFIO device", "a guest wrote 'hello'");
  }

  @Test
  void aGuestThatCanNotRunIsAFinding() {
    assumeKvm();
    host.refuse(Kvm.KVM_RUN(), Errno.EIO);

    assertThat(find("KVM").status()).isEqualTo(Finding.Status.MISSING);
    assertThat(find("KVM").observed()).contains("KVM_RUN", "EIO");
    assertThat(find("KVM").code()).contains(FindingCode.KVM_FAILED);
  }

  @Test
  void kvmWithoutItsVfioDeviceIsNotEnough() {
    assumeKvm();
    host.refuse(Kvm.KVM_CREATE_DEVICE(), Errno.ENODEV);

    assertThat(find("KVM").status()).isEqualTo(Finding.Status.MISSING);
    assertThat(find("KVM").observed()).contains("KVM_CREATE_DEVICE", "ENODEV");
  }

  @Test
  void aTypeOfWhichNoneIsLeftDoesNotHideTheOthers() {
    assumeKvm();
    int offered = 1 << Kvm.KVM_X86_DEFAULT_VM() | 1 << Kvm.KVM_X86_SEV_VM();
    host = offering(offered | 1 << Kvm.KVM_X86_TDX_VM());

    assertThat(find("confidential VMs"))
        .isEqualTo(
            Finding.ok(
                "confidential VMs", "DEFAULT, SEV (none left or none available: ENOSPC), TDX"));

    host = offering(offered);
    assertThat(find("confidential VMs").status()).isEqualTo(Finding.Status.OPTIONAL);
    assertThat(find("confidential VMs").observed()).startsWith("only DEFAULT, SEV (");
  }

  /** Offers these types; a SEV one can't be made, and others are plain ones. */
  private PretendHost offering(int types) {
    return new PretendHost(root) {
      @Override
      public int ioctl(int fd, long request, long argument) {
        if (request == Kvm.KVM_CHECK_EXTENSION() && argument == Kvm.KVM_CAP_VM_TYPES()) {
          return types;
        }
        if (request == Kvm.KVM_CREATE_VM()) {
          return argument == Kvm.KVM_X86_SEV_VM()
              ? Errno.ENOSPC.negated()
              : super.ioctl(fd, request, Kvm.KVM_X86_DEFAULT_VM());
        }
        return super.ioctl(fd, request, argument);
      }
    };
  }

  private static void assumeKvm() {
    assumeTrue(Files.isWritable(Path.of("/dev/kvm")), "this machine has no /dev/kvm to use");
  }
}
