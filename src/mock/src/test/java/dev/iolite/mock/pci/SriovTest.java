package dev.iolite.mock.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Physical and virtual functions, as drivers/pci/iov.c and vfio-pci treat them. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SriovTest {
  private static final String DEVICES = "/sys/bus/pci/devices/";
  private static final String DRIVERS = "/sys/bus/pci/drivers/";
  private static final String PHYSICAL = "0000:02:00.0";
  private static final String FIRST = "0000:02:00.1";
  private static final String SECOND = "0000:02:00.2";
  private static final String NUM_VFS = DEVICES + PHYSICAL + "/sriov_numvfs";

  private final MockKernel kernel = MockKernel.builder().machine(Machine.sriov()).build();
  private final SysFs sysfs = new SysFs(kernel);

  @AfterEach
  void end() {
    kernel.close();
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void virtualFunctionsComeAndGo() {
    assertThat(sysfs.read(NUM_VFS)).isEqualTo("0");
    assertThat(sysfs.read(DEVICES + PHYSICAL + "/sriov_totalvfs")).isEqualTo("2");
    assertThat(sysfs.exists(DEVICES + FIRST)).isFalse();

    sysfs.write(NUM_VFS, "1");
    assertThat(sysfs.linkName(DEVICES + PHYSICAL + "/virtfn0")).contains(FIRST);
    assertThat(sysfs.exists(DEVICES + PHYSICAL + "/virtfn1")).isFalse();
    assertThat(sysfs.linkName(DEVICES + FIRST + "/physfn")).contains(PHYSICAL);
    assertThat(sysfs.list(DEVICES + FIRST + "/iommu_group/devices")).containsExactly(FIRST);
    assertThat(sysfs.read(DEVICES + FIRST + "/driver_override"))
        .as("only vfio-pci claims the VFs of its PFs")
        .isEqualTo("(null)");
    assertThat(sysfs.exists(DEVICES + SECOND)).isFalse();

    sysfs.write(NUM_VFS, "0");
    assertThat(sysfs.exists(DEVICES + FIRST)).isFalse();
    sysfs.write("/sys/bus/pci/rescan", "1");
    assertThat(sysfs.exists(DEVICES + FIRST)).isFalse();
  }

  /** sriov_numvfs_store. */
  @Test
  void theirNumberIsChecked() {
    refused(Errno.EINVAL, () -> sysfs.write(NUM_VFS, "many"));
    refused(Errno.ERANGE, () -> sysfs.write(NUM_VFS, "3"));
    sysfs.write(NUM_VFS, "2");
    sysfs.write(NUM_VFS, "2");
    refused(Errno.EBUSY, () -> sysfs.write(NUM_VFS, "1"));
    sysfs.write(DRIVERS + "nvme/unbind", PHYSICAL);
    refused(Errno.ENOENT, () -> sysfs.write(NUM_VFS, "0"));
    assertThat(sysfs.read(NUM_VFS)).isEqualTo("2");
  }

  /** vfio_pci_core_register_device. */
  @Test
  void vfioTakesNoPhysicalFunctionThatHasThem() {
    sysfs.write(NUM_VFS, "2");
    sysfs.write(DRIVERS + "nvme/unbind", PHYSICAL);
    sysfs.write(DEVICES + PHYSICAL + "/driver_override", "vfio-pci");
    refused(Errno.EBUSY, () -> sysfs.write(DRIVERS + "vfio-pci/bind", PHYSICAL));
  }

  /** vfio_pci_sriov_configure, vfio_pci_bus_notifier, vfio_pci_core_unregister_device. */
  @Test
  void thoseThatVfioMakesAreVfios() {
    sysfs.write(DRIVERS + "nvme/unbind", PHYSICAL);
    sysfs.write(DEVICES + PHYSICAL + "/driver_override", "vfio-pci");
    sysfs.write(DRIVERS + "vfio-pci/bind", PHYSICAL);
    refused(Errno.ENOENT, () -> sysfs.write(NUM_VFS, "2"));
    sysfs.write("/sys/module/vfio_pci/parameters/enable_sriov", "Y");
    sysfs.write(NUM_VFS, "2");
    assertThat(sysfs.read(DEVICES + FIRST + "/driver_override")).isEqualTo("vfio-pci");
    assertThat(sysfs.linkName(DEVICES + SECOND + "/driver")).contains("vfio-pci");

    sysfs.write(DRIVERS + "vfio-pci/unbind", PHYSICAL);
    assertThat(sysfs.exists(DEVICES + FIRST)).isFalse();
    assertThat(sysfs.read(NUM_VFS)).isEqualTo("0");
  }

  /** SR-IOV specification, 3.4.1; vfio_config_init. */
  @Test
  void theIdsOfOneAreAllOnesUnlessVfioShowsThem() {
    sysfs.write(NUM_VFS, "1");
    assertThat(sysfs.read(DEVICES + FIRST + "/vendor")).isEqualTo("0x1b36");
    assertThat(sysfs.readBytes(DEVICES + FIRST + "/config")).startsWith(0xff, 0xff, 0xff, 0xff);
    try (VfioUser user = new VfioUser(kernel, FIRST)) {
      assertThat(user.device().config().region().read32(0)).isEqualTo(0x0010_1b36);
    }
  }
}
