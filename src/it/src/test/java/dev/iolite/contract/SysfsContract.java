package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** PCI functions in sysfs, and which driver has them. */
abstract class SysfsContract extends Contract {
  private static final String PCI = "/sys/bus/pci/";
  private static final String EDU = PCI + "devices/" + Backend.EDU + "/";
  private static final String NVME = PCI + "devices/" + Backend.NVME + "/";
  private static final String VFIO_PCI = PCI + "drivers/vfio-pci/";
  private static final String PROBE = PCI + "drivers_probe";

  SysfsContract(Backend backend) {
    super(backend);
  }

  @AfterEach
  void giveEduBack() {
    closeAll();
    driver(EDU).ifPresent(_ -> sysfs.write(EDU + "driver/unbind", Backend.EDU));
    sysfs.write(EDU + "driver_override", "\n");
    assertThat(driver(NVME)).contains("nvme");
  }

  private Optional<String> driver(String device) {
    return sysfs.linkName(device + "driver");
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  private void giveEduToVfio() {
    sysfs.write(EDU + "driver_override", "vfio-pci");
    sysfs.write(PROBE, Backend.EDU);
  }

  @Test
  void aLinkWithASlashIsItsTarget() {
    // fs/namei.c:path_lookupat, trailing slashes: LOOKUP_FOLLOW | LOOKUP_DIRECTORY
    int flags = Libc.O_RDONLY() | Libc.O_CLOEXEC() | Libc.O_DIRECTORY() | Libc.O_NOFOLLOW();
    String link = PCI + "devices/" + Backend.EDU;
    fails(Errno.ENOTDIR, kernel.open(link, flags));
    keep(kernel.open(link + "/", flags));
    keep(kernel.open(link + "/subsystem/devices/" + Backend.EDU + "/", flags));
    fails(Errno.ENOTDIR, kernel.open(link + "/vendor/", flags));
  }

  @Test
  void aPositionInAnAttributeCountsFromTheStartFromItselfOrFromTheEndOfAPage() {
    // fs/kernfs/file.c:kernfs_fop_llseek: generic_file_llseek
    int vendor = keep(kernel.open(EDU + "vendor", Libc.O_RDONLY() | Libc.O_CLOEXEC()));
    assertThat(kernel.lseek(vendor, 2, Libc.SEEK_SET())).isEqualTo(2);
    assertThat(kernel.lseek(vendor, 3, Libc.SEEK_CUR())).isEqualTo(5);
    assertThat(kernel.lseek(vendor, -5, Libc.SEEK_CUR())).isZero();
    assertThat(kernel.lseek(vendor, -1, Libc.SEEK_END())).isEqualTo(PAGE - 1);
    fails(Errno.EINVAL, kernel.lseek(vendor, -1, Libc.SEEK_SET()));
    fails(Errno.EINVAL, kernel.lseek(vendor, 0, 5));
    int misc = keep(kernel.open("/proc/misc", Libc.O_RDONLY() | Libc.O_CLOEXEC()));
    assertThat(kernel.lseek(misc, 0, Libc.SEEK_CUR())).isZero();
    fails(Errno.EINVAL, kernel.lseek(misc, 0, Libc.SEEK_END()));
  }

  @Test
  void aFunctionTellsWhatItIs() {
    // pci-sysfs.c: vendor, device, class, revision
    assertThat(sysfs.read(EDU + "vendor")).isEqualTo("0x1234");
    assertThat(sysfs.read(EDU + "device")).isEqualTo("0x11e8");
    assertThat(sysfs.read(EDU + "class")).isEqualTo("0x00ff00");
    assertThat(sysfs.read(EDU + "revision")).isEqualTo("0x10");
    assertThat(sysfs.read(NVME + "class")).isEqualTo("0x010802");
  }

  @Test
  void aFunctionTellsItsRegions() {
    // pci-sysfs.c:resource_show: start, end, flags; a line for each
    List<String> lines = sysfs.read(EDU + "resource").lines().toList();
    String[] bar0 = lines.getFirst().split(" ", -1);
    long start = Long.decode(bar0[0]);
    assertThat(start % (1 << 20)).isZero();
    assertThat(Long.decode(bar0[1])).isEqualTo(start + (1 << 20) - 1);
    assertThat(bar0[2]).isEqualTo("0x0000000000040200");
    assertThat(lines.get(1)).isEqualTo("0x0000000000000000 0x0000000000000000 0x0000000000000000");
  }

  @Test
  void onlyABridgeHasABusBehindIt() {
    // pci-sysfs.c:pci_bridge_attrs_are_visible
    assertThat(sysfs.read(PCI + "devices/0000:00:04.0/secondary_bus_number")).isEqualTo("1");
    assertThat(sysfs.exists(EDU + "secondary_bus_number")).isFalse();
  }

  @Test
  void aDriversNodesAreFoundByTheirNumbers() {
    // drivers/base/core.c:device_create_sys_dev_entry, dev_uevent
    String disk = "/sys/dev/block/" + sysfs.read("/sys/class/block/nvme0n1/dev");
    assertThat(sysfs.readlink(disk)).contains(Backend.NVME);
    assertThat(sysfs.read(disk + "/uevent").lines()).contains("DEVNAME=nvme0n1");
    String controller = sysfs.read(NVME + "nvme/nvme0/dev");
    assertThat(sysfs.readlink("/sys/dev/char/" + controller)).endsWith("/nvme/nvme0");
    assertThat(sysfs.read(NVME + "nvme/nvme0/uevent").lines()).contains("DEVNAME=nvme0");
  }

  @Test
  void configSpaceIsAFile() {
    // pci-sysfs.c:pci_read_config
    byte[] config = sysfs.readBytes(EDU + "config");
    assertThat(config).hasSize(256).startsWith(0x34, 0x12, 0xe8, 0x11);
  }

  @Test
  void anAttributeThatIsNotWritableIsRefusedAtOpen() {
    // fs/kernfs/file.c:kernfs_fop_open
    fails(Errno.EACCES, kernel.open(EDU + "vendor", Libc.O_RDWR() | Libc.O_CLOEXEC()));
    fails(Errno.EACCES, kernel.open(PROBE, Libc.O_RDONLY() | Libc.O_CLOEXEC()));
  }

  @Test
  void aFunctionWithoutADriverHasNoSuchLink() {
    // drivers/base/dd.c:driver_sysfs_add
    assertThat(driver(EDU)).isEmpty();
    assertThat(driver(NVME)).contains("nvme");
  }

  @Test
  void anOverrideIsReadAsItWasWritten() {
    // pci-sysfs.c:driver_override_show
    assertThat(sysfs.read(EDU + "driver_override")).isEqualTo("(null)");
    sysfs.write(EDU + "driver_override", "vfio-pci\n");
    assertThat(sysfs.read(EDU + "driver_override")).isEqualTo("vfio-pci");
    sysfs.write(EDU + "driver_override", "\n");
    assertThat(sysfs.read(EDU + "driver_override")).isEqualTo("(null)");
  }

  @Test
  void anOverrideBindsNothingByItself() {
    // pci-sysfs.c:driver_override_store
    sysfs.write(EDU + "driver_override", "vfio-pci");
    assertThat(driver(EDU)).isEmpty();
  }

  @Test
  void aProbeGivesTheFunctionToTheDriverOfItsOverride() {
    // drivers/base/bus.c:drivers_probe_store; pci-driver.c:pci_match_device
    giveEduToVfio();
    assertThat(driver(EDU)).contains("vfio-pci");
    assertThat(sysfs.list(VFIO_PCI)).contains(Backend.EDU, "bind", "unbind", "new_id");
  }

  @Test
  void aProbeOfAFunctionThatNoDriverWantsChangesNothing() {
    // drivers/base/bus.c:bus_rescan_devices_helper
    sysfs.write(PROBE, Backend.EDU);
    assertThat(driver(EDU)).isEmpty();
  }

  @Test
  void aProbeOfAnUnknownFunctionIsNoDevice() {
    // drivers/base/bus.c:drivers_probe_store
    refused(Errno.ENODEV, () -> sysfs.write(PROBE, "0000:7f:1f.7"));
    refused(Errno.ENODEV, () -> sysfs.write(PROBE, "nonsense"));
  }

  @Test
  void aDriverBindsWhatItsOverrideOrItsTableNames() {
    // drivers/base/bus.c:bind_store: driver_match_device
    refused(Errno.ENODEV, () -> sysfs.write(VFIO_PCI + "bind", Backend.EDU));
    sysfs.write(EDU + "driver_override", "vfio-pci");
    sysfs.write(VFIO_PCI + "bind", Backend.EDU);
    assertThat(driver(EDU)).contains("vfio-pci");
  }

  @Test
  void aDriverDoesNotBindWhatItHas() {
    // drivers/base/dd.c:device_driver_attach
    giveEduToVfio();
    refused(Errno.EBUSY, () -> sysfs.write(VFIO_PCI + "bind", Backend.EDU));
  }

  @Test
  void aDriverBindsWhatExists() {
    // drivers/base/bus.c:bind_store
    refused(Errno.ENODEV, () -> sysfs.write(VFIO_PCI + "bind", "0000:7f:1f.7"));
  }

  @Test
  void aDriverLetsGoOfWhatItHas() {
    // drivers/base/bus.c:unbind_store
    refused(Errno.ENODEV, () -> sysfs.write(VFIO_PCI + "unbind", Backend.EDU));
    refused(Errno.ENODEV, () -> sysfs.write(VFIO_PCI + "unbind", Backend.NVME));
    giveEduToVfio();
    sysfs.write(VFIO_PCI + "unbind", Backend.EDU);
    assertThat(driver(EDU)).isEmpty();
  }

  @Test
  void aDeviceFileComesWithTheDriverAndGoesWithIt() {
    // vfio_main.c:__vfio_register_dev
    assertThat(sysfs.exists(EDU + "vfio-dev")).isFalse();
    giveEduToVfio();
    String name = sysfs.list(EDU + "vfio-dev").getFirst();
    assertThat(name).startsWith("vfio");
    assertThat(sysfs.exists("/dev/vfio/devices/" + name)).isTrue();
    assertThat(sysfs.read(EDU + "vfio-dev/" + name + "/dev")).matches("\\d+:\\d+");
    sysfs.write(VFIO_PCI + "unbind", Backend.EDU);
    assertThat(sysfs.exists("/dev/vfio/devices/" + name)).isFalse();
    assertThat(sysfs.exists(EDU + "vfio-dev")).isFalse();
  }

  @Test
  void aGroupFileComesWithTheDriverToo() {
    // group.c:vfio_create_group
    String group = sysfs.linkName(EDU + "iommu_group").orElseThrow();
    assertThat(sysfs.exists("/dev/vfio/" + group)).isFalse();
    giveEduToVfio();
    assertThat(sysfs.exists("/dev/vfio/" + group)).isTrue();
  }

  @Test
  void aFunctionIsInOneGroupWithThoseItCanNotBeKeptApartFrom() {
    // iommu.c:pci_device_group
    String grouped = PCI + "devices/" + Backend.GROUPED_EDU + "/iommu_group/devices";
    assertThat(sysfs.list(EDU + "iommu_group/devices")).containsExactly(Backend.EDU);
    assertThat(sysfs.list(grouped)).hasSize(3).contains(Backend.GROUPED_EDU);
    String group = sysfs.linkName(EDU + "iommu_group").orElseThrow();
    assertThat(sysfs.list("/sys/kernel/iommu_groups")).contains(group);
    assertThat(sysfs.read(EDU + "iommu_group/type")).isIn("DMA", "DMA-FQ", "identity");
  }

  @Test
  void anIdThatIsNewBringsTheDriverAtOnce() {
    // pci-driver.c:new_id_store, remove_id_store
    sysfs.write(VFIO_PCI + "new_id", "1234 11e8");
    assertThat(driver(EDU)).contains("vfio-pci");
    refused(Errno.EEXIST, () -> sysfs.write(VFIO_PCI + "new_id", "1234 11e8"));
    sysfs.write(VFIO_PCI + "remove_id", "1234 11e8");
    refused(Errno.ENODEV, () -> sysfs.write(VFIO_PCI + "remove_id", "1234 11e8"));
    refused(Errno.EINVAL, () -> sysfs.write(VFIO_PCI + "new_id", "1234"));
    assertThat(driver(PCI + "devices/" + Backend.GROUPED_EDU + "/")).contains("vfio-pci");
    sysfs.write(VFIO_PCI + "unbind", Backend.GROUPED_EDU);
  }

  @Test
  void ofAWriteThatIsLongerThanAPageThePageIsTaken() {
    // fs/kernfs/file.c:kernfs_fop_write_iter: what is left over would be a command of its own
    assertThatThrownBy(() -> sysfs.write(VFIO_PCI + "new_id", "fff0 fff1" + " ".repeat(5000)))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.result()).as(e.getMessage()).isEqualTo(4096));
    sysfs.write(VFIO_PCI + "remove_id", "fff0 fff1");
  }

  @Test
  void anOverrideThatIsTooLongIsInvalid() {
    // drivers/base/driver.c: a page and no more
    refused(Errno.EINVAL, () -> sysfs.write(EDU + "driver_override", "a".repeat(4096)));
  }

  @Test
  void anAttributeIsReadFromItsPosition() {
    // fs/kernfs/file.c:kernfs_file_read_iter
    int file = keep(kernel.open(EDU + "vendor", Libc.O_RDONLY() | Libc.O_CLOEXEC()));
    var bytes = zeros(16);
    assertThat(kernel.read(file, bytes.address(), 2)).isEqualTo(2);
    assertThat(kernel.read(file, bytes.address(), 16)).isEqualTo(5);
    assertThat(kernel.read(file, bytes.address(), 16)).isZero();
    assertThat(kernel.pread(file, bytes.address(), 16, 2)).isEqualTo(5);
    assertThat(
            new String(bytes.asSlice(0, 5).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8))
        .isEqualTo("1234\n");
  }

  @Test
  void aFunctionSaysOnWhichNodeAndHowItsInterruptsAre() {
    // pci-sysfs.c: numa_node, enable, msi_bus
    assertThat(sysfs.read(EDU + "enable")).isEqualTo("0");
    giveEduToVfio();
    assertThat(sysfs.read(EDU + "enable")).isEqualTo("0");
  }

  @Test
  @Tag("stock")
  void thereIsNoTsmAndItsClassIsEmpty() {
    // drivers/virt/coco/tsm-core.c: the class is there without a driver
    assertThat(sysfs.listIfPresent("/sys/class/tsm")).contains(List.of());
    assertThat(sysfs.exists(EDU + "tsm")).isFalse();
  }
}
