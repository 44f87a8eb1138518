package dev.iolite.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Kvm;
import dev.iolite.vfio.VfioDevice;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device's node that can't be opened: who forbids it, and what to do, as doctor says too. */
class DeviceNodeTest {
  private static final String ROOT = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0\n";
  private static final String ALL = "CapEff:\t000001ffffffffff\n";
  private static final String NONE = "CapEff:\t0000000000000000\n";
  private static final String ALL_USERS = "         0          0 4294967295\n";
  private static final String MOUNTS =
      "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n23 22 0:6 / /dev rw,nosuid - devtmpfs d rw\n";

  @TempDir private Path root;
  private PretendHost host;

  @BeforeEach
  void pretend() throws IOException {
    host = new PretendHost(root);
    host.file("/proc/self/mountinfo", MOUNTS)
        .file("/proc/self/status", ROOT + ALL)
        .file("/proc/self/uid_map", ALL_USERS)
        .file("/etc/group", "root:x:0:\nkvm:x:109:alice\n")
        .file("/proc/misc", " 10 iommu\n232 kvm\n196 vfio\n");
  }

  @AfterEach
  void nothingStaysOpen() {
    assertThat(host.leftOpen()).isEmpty();
  }

  private void plainUser(String groups) throws IOException {
    host.file(
        "/proc/self/status",
        "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t"
            + groups
            + "\n"
            + NONE);
  }

  private KernelException kvm(Errno errno) {
    host.refuse(Kvm.PATH, errno);
    return agreed("KVM", catchThrowableOfType(KernelException.class, () -> Kvm.open(host)));
  }

  private KernelException iommufd(Errno errno) {
    host.refuse(Iommufd.PATH, errno);
    return agreed("iommufd", catchThrowableOfType(KernelException.class, () -> Iommufd.open(host)));
  }

  /** What a run is told, doctor says. */
  private KernelException agreed(String check, KernelException failure) {
    Finding finding =
        new Doctor(host)
            .examine().stream().filter(f -> f.check().equals(check)).findFirst().orElseThrow();
    assertThat(finding.status()).isEqualTo(Finding.Status.MISSING);
    assertThat(finding.why()).isEqualTo(failure.advice().orElseThrow().cause());
    assertThat(finding.next()).isEqualTo(failure.advice().orElseThrow().next());
    return failure;
  }

  @Test
  void aPlainUserIsToldOfTheGroup() throws IOException {
    plainUser("27 44");
    assertThat(kvm(Errno.EACCES))
        .hasMessageStartingWith(
            "open on /dev/kvm: EACCES, because the group kvm may open it, and this user is not in"
                + " that group")
        .hasMessageEndingWith(
            "Next: usermod -aG kvm, with this user's name, as root; then log in anew");
  }

  @Test
  void aUserWhoIsInTheGroupIsToldThatTheNodeIsNotTheGroups() throws IOException {
    plainUser("27 109");
    assertThat(kvm(Errno.EACCES))
        .hasMessageContaining("this user is in the group kvm, but the node does not let that group")
        .hasMessageEndingWith("Next: chgrp kvm /dev/kvm; chmod g+rw /dev/kvm");
  }

  @Test
  void aNodeWithoutAGroupOfItsOwnIsRoots() throws IOException {
    plainUser("109");
    assertThat(iommufd(Errno.EACCES))
        .hasMessageContaining("only root may open it")
        .hasMessageContaining("Next: run as root, or give it to a group of this user")
        .hasMessageContaining("/dev/iommu");
  }

  @Test
  void theLastOfTheLongestMountPointsSaysNodev() throws IOException {
    host.file(
        "/proc/self/mountinfo", MOUNTS + "40 22 0:30 / /dev rw,nosuid,nodev - tmpfs tmpfs rw\n");
    assertThat(kvm(Errno.EACCES))
        .hasMessageContaining("EACCES, because the file system that it is on is mounted nodev")
        .hasMessageContaining("Next: mount -o remount,dev")
        .hasMessageNotContaining("run as root");
  }

  @Test
  void anotherFileSystemsNodevIsNoReason() throws IOException {
    host.file("/proc/self/mountinfo", MOUNTS + "41 22 0:31 / /dev/shm rw,nodev - tmpfs t rw\n");
    assertThat(kvm(Errno.EACCES)).hasMessageNotContaining("nodev");
  }

  @Test
  void rootOfAUserNamespaceIsAPlainUserToTheNode() throws IOException {
    host.file("/proc/self/uid_map", "         0       1000          1\n");
    assertThat(kvm(Errno.EACCES))
        .hasMessageContaining("EACCES, because root of this user namespace")
        .hasMessageContaining("--group-add keep-groups --device /dev/kvm")
        .hasMessageNotContaining("run as root");
  }

  @Test
  void rootWithoutTheCapabilityIsToldWhichOne() throws IOException {
    host.file("/proc/self/status", ROOT + NONE);
    assertThat(iommufd(Errno.EACCES)).hasMessageContaining("CAP_DAC_OVERRIDE");
  }

  @Test
  void rootWhoMayDoAllIsHeldBackByASecurityModule() {
    assertThat(iommufd(Errno.EACCES))
        .hasMessageContaining("a security module, such as SELinux or AppArmor")
        .hasMessageContaining("ausearch");
  }

  @Test
  void theDeviceCgroupForbidsWithAnotherErrno() {
    assertThat(kvm(Errno.EPERM))
        .hasMessageContaining("EPERM, because the device cgroup of this container or unit")
        .hasMessageEndingWith("(--device /dev/kvm), or the unit DeviceAllow=/dev/kvm rw");
    assertThat(iommufd(Errno.EPERM)).hasMessageContaining("DeviceAllow=/dev/iommu rw");
  }

  @Test
  void aKernelThatHasTheDriverGivesTheContainerNoNode() {
    assertThat(kvm(Errno.ENOENT))
        .hasMessageContaining("the kernel has kvm, as /proc/misc shows, but this /dev has no node")
        .hasMessageContaining("Next: give the container the node (--device /dev/kvm)")
        .hasMessageEndingWith("mknod /dev/kvm c 10 232")
        .hasMessageNotContaining("modprobe");
    assertThat(iommufd(Errno.ENOENT)).hasMessageEndingWith("mknod /dev/iommu c 10 10");
  }

  @Test
  void aKernelWithoutTheDriverNeedsTheModule() throws IOException {
    host.file("/proc/misc", "196 vfio\n").file("/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
    assertThat(kvm(Errno.ENOENT)).hasMessageEndingWith("SVM in the firmware; modprobe kvm_amd");
    assertThat(iommufd(Errno.ENOENT)).hasMessageContaining("Next: modprobe iommufd");
    // A node that was kept of a module that is gone.
    assertThat(kvm(Errno.ENODEV)).hasMessageContaining("the kernel has no KVM");
  }

  @Test
  void aDirectoryInThePlaceOfTheNodeIsAVolumeOfNothing() {
    assertThat(kvm(Errno.EISDIR)).hasMessageContaining("it is a directory");
  }

  @Test
  void aDeviceWithoutIommuNeedsItsCapability() {
    String node = "/dev/vfio/devices/noiommu-vfio0";
    host.refuse(node, Errno.EPERM);
    assertThat(
            catchThrowableOfType(
                KernelException.class, () -> VfioDevice.open(host, node, "0000:00:02.0")))
        .hasMessageContaining("CAP_SYS_RAWIO")
        .hasMessageNotContaining("cgroup");
  }

  @Test
  void whatCanNotBeLookedAtLeavesTheErrorAsItIs() {
    host.refuse("/proc/self/mountinfo", Errno.EACCES);
    host.refuse("/proc/self/status", Errno.EACCES);
    assertThat(kvm(Errno.EACCES)).hasMessageContaining("open on /dev/kvm: EACCES. Usual cause:");
  }
}
