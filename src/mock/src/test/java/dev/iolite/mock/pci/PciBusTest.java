package dev.iolite.mock.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.device.Edu;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PciBusTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";
  private static final String BRIDGE = "0000:00:04.0";
  private static final String GROUPED_EDU = "0000:01:01.0";
  private static final String GROUPED_RNG = "0000:01:02.0";
  private static final String DEVICES = "/sys/bus/pci/devices/";
  private static final String DRIVERS = "/sys/bus/pci/drivers/";
  private static final Duration SOON = Duration.ofSeconds(20);

  private final MockKernel kernel = MockKernel.plain();
  private final SysFs sysfs = new SysFs(kernel);

  private PciDevice pci(String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void standsWhereTheLabStands() {
    assertThat(new Pci(kernel).devices())
        .extracting(PciDevice::toString)
        .contains(EDU, NVME, BRIDGE, GROUPED_EDU, GROUPED_RNG)
        .isSorted();
    assertThat(sysfs.readlink(DEVICES + GROUPED_EDU))
        .isEqualTo("../../../devices/pci0000:00/0000:00:04.0/0000:01:01.0");
    assertThat(sysfs.readlink(DEVICES + GROUPED_EDU + "/iommu_group"))
        .isEqualTo("../../../../kernel/iommu_groups/3");
    assertThat(sysfs.list("/sys/kernel/iommu_groups/3/devices"))
        .containsExactly(BRIDGE, GROUPED_EDU, GROUPED_RNG);
    assertThat(sysfs.read("/sys/kernel/iommu_groups/3/reserved_regions"))
        .isEqualTo("0x00000000fee00000 0x00000000feefffff msi");
  }

  @Test
  void aFunctionGoesToVfioAndBack() {
    PciDevice nvme = pci(NVME);
    assertThat(sysfs.exists("/sys/class/block/nvme0n1/dev")).isTrue();
    try (DriverBinding _ = DriverBinding.bind(nvme, "vfio-pci")) {
      assertThat(nvme.driver()).contains("vfio-pci");
      assertThat(nvme.requireVfioCdev()).isEqualTo("/dev/vfio/devices/vfio0");
      assertThat(sysfs.list("/sys/class/block")).isEmpty();
      assertThat(sysfs.linkName("/sys/class/vfio-dev/vfio0")).contains("vfio0");
    }
    assertThat(nvme.driver()).contains("nvme");
    assertThat(nvme.driverOverride()).isEmpty();
    assertThat(sysfs.exists("/sys/class/block/nvme0n1/dev")).isTrue();
  }

  @Test
  void vfioTakesNoBridge() {
    // drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device
    sysfs.write(DEVICES + BRIDGE + "/driver_override", "vfio-pci");
    refused(Errno.EINVAL, () -> sysfs.write(DRIVERS + "vfio-pci/bind", BRIDGE));
    assertThat(pci(BRIDGE).driver()).isEmpty();
  }

  @Test
  void aHostDriverRefusesWhatItDoesNotKnow() {
    sysfs.write(DEVICES + EDU + "/driver_override", "nvme");
    refused(Errno.ENODEV, () -> sysfs.write(DRIVERS + "nvme/bind", EDU));
    assertThat(pci(EDU).driver()).isEmpty();
  }

  @Test
  void aHostDriverDoesNotGetAGroupThatIsLent() {
    // drivers/iommu/iommu.c:iommu_device_use_default_domain
    sysfs.write(DRIVERS + "virtio-pci/unbind", GROUPED_RNG);
    try (VfioUser _ = new VfioUser(kernel, GROUPED_EDU)) {
      refused(Errno.EBUSY, () -> sysfs.write(DRIVERS + "virtio-pci/bind", GROUPED_RNG));
    }
    sysfs.write(DRIVERS + "virtio-pci/bind", GROUPED_RNG);
    assertThat(pci(GROUPED_RNG).driver()).contains("virtio-pci");
  }

  @Test
  void anUnbindWaitsForTheUserAndAsksHimToGo() throws Exception {
    VfioUser user = new VfioUser(kernel, EDU);
    EventFd request = EventFd.create(kernel);
    IrqSet requests = user.device().irqs(PciIrq.REQ);
    requests.enable(List.of(request));

    CompletableFuture<Void> unbind =
        CompletableFuture.runAsync(() -> sysfs.write(DRIVERS + "vfio-pci/unbind", EDU));

    assertThat(request.await(SOON)).isEqualTo(1);
    assertThat(unbind).isNotDone();
    assertThat(sysfs.exists(DEVICES + EDU + "/driver")).isFalse();
    assertThat(sysfs.exists("/dev/vfio/devices")).isFalse();
    assertThat(user.device().info().isPci()).as("it works on").isTrue();
    requests.close();
    // The program closes its files; what gave the device to VFIO finds it given back already.
    user.device().close();
    unbind.get(SOON.toSeconds(), TimeUnit.SECONDS);
    assertThat(pci(EDU).driver()).isEmpty();
    request.close();
  }

  @Test
  void aResetIsRefusedWhileAnUnbindWaits() throws Exception {
    VfioUser user = new VfioUser(kernel, NVME);
    EventFd request = EventFd.create(kernel);
    user.device().irqs(PciIrq.REQ).enable(List.of(request));
    CompletableFuture<Void> unbind =
        CompletableFuture.runAsync(() -> sysfs.write(DRIVERS + "vfio-pci/unbind", NVME));
    assertThat(request.await(SOON)).isEqualTo(1);

    refused(Errno.EAGAIN, () -> user.device().reset());

    user.device().close();
    unbind.get(SOON.toSeconds(), TimeUnit.SECONDS);
    request.close();
  }

  @Test
  void aFunctionIsRemovedAndFoundAgain() {
    sysfs.write(DEVICES + EDU + "/driver_override", "vfio-pci");
    sysfs.write(DEVICES + EDU + "/remove", "1");
    assertThat(sysfs.exists(DEVICES + EDU)).isFalse();
    assertThat(sysfs.exists("/sys/kernel/iommu_groups/1")).isFalse();
    refused(Errno.EINVAL, () -> sysfs.write("/sys/bus/pci/rescan", "x"));
    sysfs.write("/sys/bus/pci/rescan", "1");
    assertThat(pci(EDU).driverOverride()).isEmpty();
    assertThat(pci(EDU).iommuGroup().orElseThrow().id()).isEqualTo(1);
  }

  @Test
  void aBridgeTakesWhatIsBehindItAlong() {
    sysfs.write(DEVICES + BRIDGE + "/remove", "1");
    assertThat(sysfs.exists(DEVICES + GROUPED_EDU)).isFalse();
    sysfs.write("/sys/bus/pci/rescan", "1");
    assertThat(pci(GROUPED_RNG).driver()).contains("virtio-pci");
  }

  @Test
  void aFunctionThatIsPulledOutReadsAsOnes() {
    VfioUser user = new VfioUser(kernel, EDU);

    kernel.device(EDU).pullOut();

    assertThat(user.device().region(PciRegion.BAR0).read32(0)).isEqualTo(-1);
    assertThat(user.device().config().command()).isEqualTo(0xfbff);
    assertThat(user.device().config().vendor()).as("VFIO's own").isEqualTo(0x1234);
    user.device().close();
    assertThat(sysfs.exists(DEVICES + EDU)).isFalse();

    kernel.device(EDU).plugIn();
    assertThat(pci(EDU).driver()).isEmpty();
    try (VfioUser again = new VfioUser(kernel, EDU)) {
      assertThat(again.device().region(PciRegion.BAR0).read32(0)).isEqualTo(0x0100_00ed);
    }
  }

  @Test
  void aFunctionIsNotPluggedInTwice() {
    assertThatThrownBy(() -> kernel.device(EDU).plugIn())
        .isInstanceOf(Refused.class)
        .hasMessage("EBUSY");
  }

  @Test
  void resetMethodsAreChosen() {
    String methods = DEVICES + NVME + "/reset_method";
    assertThat(sysfs.read(methods)).isEqualTo("flr");
    refused(Errno.EINVAL, () -> sysfs.write(methods, "nope"));
    refused(Errno.EINVAL, () -> sysfs.write(methods, "flr bus"));
    refused(Errno.EINVAL, () -> sysfs.write(DEVICES + NVME + "/reset", "0"));
    sysfs.write(DEVICES + NVME + "/reset", "1");
    assertThat(sysfs.exists(DEVICES + EDU + "/reset")).isFalse();
  }

  /** drivers/pci/pci-sysfs.c:reset_method_store: the files were made when the device was found. */
  @Test
  void aFunctionWithoutResetMethodsGetsThemBack() {
    String methods = DEVICES + NVME + "/reset_method";
    sysfs.write(methods, "\n");
    assertThat(sysfs.read(methods)).isEmpty();
    refused(Errno.ENOTTY, () -> sysfs.write(DEVICES + NVME + "/reset", "1"));
    sysfs.write(methods, "flr");
    assertThat(sysfs.read(methods)).isEqualTo("flr");
    sysfs.write(methods, "\n");
    sysfs.write(methods, "default");
    assertThat(sysfs.read(methods)).isEqualTo("flr");
    sysfs.write(DEVICES + NVME + "/reset", "1");
  }

  @Test
  void aDeviceIsEnabledAndDisabled() {
    String enable = DEVICES + EDU + "/enable";
    sysfs.write(enable, "1");
    assertThat(sysfs.read(enable)).isEqualTo("1");
    sysfs.write(enable, "0");
    refused(Errno.EIO, () -> sysfs.write(enable, "0"));
    refused(Errno.EINVAL, () -> sysfs.write(enable, "-"));
    refused(Errno.EBUSY, () -> sysfs.write(DEVICES + NVME + "/enable", "1"));
  }

  @Test
  void namesFewDevicesThatAreNot() {
    assertThatThrownBy(() -> kernel.device("0000:00:1e.0"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Machine().driver(EDU, "x"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Optional.of(Bdf.parse("0000:0a:1f.7").toString())).contains("0000:0a:1f.7");
    assertThat(Bdf.tryParse("0000:00:20.0")).isEmpty();
  }

  @Test
  void vfioTakesNoFunctionThatNoIommuTranslatesFor() {
    Machine machine = new Machine().function(EDU, Edu.model()).withoutIommu(EDU);
    try (MockKernel other = MockKernel.builder().machine(machine).build()) {
      SysFs files = new SysFs(other);
      assertThat(files.exists(DEVICES + EDU + "/iommu_group")).isFalse();
      files.write(DEVICES + EDU + "/driver_override", "vfio-pci");
      refused(Errno.EINVAL, () -> files.write(DRIVERS + "vfio-pci/bind", EDU));
      assertThat(files.exists(DEVICES + EDU + "/driver")).isFalse();
      assertThat(files.exists(DEVICES + EDU + "/vfio-dev")).isFalse();
    }
  }
}
