package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** States of sysfs that the lab's machine can't be brought into, made of plain files. */
class PciTreeTest {
  private static final PciAddress ADDRESS = PciAddress.parse("0000:00:03.0");

  @TempDir private Path root;
  private Path directory;

  @BeforeEach
  void makeDevice() throws IOException {
    directory = Files.createDirectories(root.resolve("sys/devices/pci0000:00/0000:00:03.0"));
    Path devices = Files.createDirectories(root.resolve("sys/bus/pci/devices"));
    Files.createSymbolicLink(
        devices.resolve(ADDRESS.toString()), Path.of("../../../devices/pci0000:00/0000:00:03.0"));
    Files.createDirectories(root.resolve("sys/bus/pci/drivers/vfio-pci"));
    Files.createDirectories(root.resolve("proc/self"));
    put("vendor", "0x1234\n");
    put("class", "0x010802\n");
    put("driver_override", "(null)\n");
    put(
        "resource",
        """
        0x00000000fe000000 0x00000000fe003fff 0x0000000000140204
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x000000000000c000 0x000000000000c03f 0x0000000000040101
        """);
  }

  @Test
  void findsNothingWithoutPci() {
    assertThat(new Pci(new TreeKernel(root.resolve("proc"))).devices()).isEmpty();
  }

  @Test
  void saysThatThereIsNoSuchDevice() {
    Pci pci = new Pci(new TreeKernel(root));

    assertThatThrownBy(() -> pci.device(PciAddress.parse("00:1f.0")))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("0000:00:1f.0")
        .hasMessageContaining("Next: choose one that is in /sys/bus/pci/devices");
  }

  @Test
  void readsWhatSysfsSays() throws IOException {
    group();
    put("reset_method", "flr bus\n");
    put("numa_node", "-1\n");
    put("tsm/connect", "tsm0\n");
    put("tsm/bound", "\n");

    PciDevice device = new Pci(new TreeKernel(root)).devices().getFirst();

    assertThat(device.address()).isEqualTo(ADDRESS);
    assertThat(device.vendor()).isEqualTo(0x1234);
    assertThat(device.className()).isEqualTo("NVMe controller");
    assertThat(device.driver()).isEmpty();
    assertThat(device.driverOverride()).isEmpty();
    assertThat(device.iommuGroup().orElseThrow().id()).isEqualTo(7);
    assertThat(device.iommuGroup().orElseThrow().members())
        .containsExactly(new IommuGroup.Member("0000:00:03.0", Optional.empty()));
    assertThat(device.resources())
        .containsExactly(
            new PciResource(0, 0xfe00_0000L, 0x4000, 0x14_0204),
            new PciResource(2, 0xc000, 0x40, 0x4_0101));
    assertThat(device.resources().getFirst().is64Bit()).isTrue();
    assertThat(device.resources().getLast().isIo()).isTrue();
    assertThat(device.resetMethods()).containsExactly("flr", "bus");
    assertThat(device.numaNode()).isEmpty();
    assertThat(device.tsm())
        .contains(new TsmState(Optional.of("tsm0"), Optional.empty(), Optional.empty()));
  }

  @Test
  void saysThatADeviceHasNoIommuGroup() throws IOException {
    assertBindFails("the device has no IOMMU group");
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void saysThatADriverIsNotLoaded() throws IOException {
    group();
    Files.delete(root.resolve("sys/bus/pci/drivers/vfio-pci"));

    assertBindFails("Next: modprobe vfio-pci");
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void saysThatADriverNeverLetsGo() throws IOException {
    group();
    Path driver = Files.createDirectories(root.resolve("sys/bus/pci/drivers/stubborn"));
    Files.createSymbolicLink(directory.resolve("driver"), driver);
    put("driver_override", "stubborn\n");

    assertBindFails("stubborn has the device and has no unbind file");
    assertThat(text("driver_override")).isEqualTo("stubborn\n");
  }

  @Test
  void seesThatADriverHasNotLetGo() throws IOException {
    group();
    Path driver = Files.createDirectories(root.resolve("sys/bus/pci/drivers/sticky"));
    Files.writeString(driver.resolve("unbind"), "");
    Files.createSymbolicLink(directory.resolve("driver"), driver);

    assertBindFails("taken from sticky, but sticky has it now");
    assertThat(driver.resolve("unbind")).hasContent("0000:00:03.0");
    assertThat(text("driver_override")).isEqualTo("\n");
  }

  @Test
  void seesThatADriverHasNotTakenTheDevice() throws IOException {
    group();
    Path bind = root.resolve("sys/bus/pci/drivers/vfio-pci/bind");
    Files.writeString(bind, "");

    assertBindFails("the kernel took the command, but the driver is none");
    assertThat(bind).hasContent("0000:00:03.0");
    assertThat(text("driver_override")).isEqualTo("\n");
  }

  @Test
  void changesNothingIfTheDriverHasTheDevice() throws IOException {
    Files.createSymbolicLink(
        directory.resolve("driver"), root.resolve("sys/bus/pci/drivers/vfio-pci"));

    try (DriverBinding binding = DriverBinding.bind(device(), "vfio-pci")) {
      assertThat(binding.changed()).isFalse();
      assertThat(binding.before().driver()).contains("vfio-pci");
    }
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void saysWhyThereIsNoCharacterDevice() throws IOException {
    assertThatThrownBy(device()::requireVfioCdev)
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("Next: bind 0000:00:03.0 to vfio-pci");

    Files.createSymbolicLink(
        directory.resolve("driver"), root.resolve("sys/bus/pci/drivers/vfio-pci"));
    Files.createDirectories(directory.resolve("vfio-dev/vfio3"));
    assertThatThrownBy(device()::requireVfioCdev)
        .hasMessageContaining("built without CONFIG_VFIO_DEVICE_CDEV");
    assertThat(device().vfioCdev()).isEmpty();

    put("vfio-dev/vfio3/dev", "248:3\n");
    assertThatThrownBy(device()::requireVfioCdev)
        .hasMessageContaining("there is no /dev/vfio/devices/vfio3");

    Path node = root.resolve("dev/vfio/devices/vfio3");
    Files.createDirectories(node.getParent());
    Files.writeString(node, "");
    assertThat(device().requireVfioCdev()).isEqualTo("/dev/vfio/devices/vfio3");
  }

  @Test
  void findsWhoUsesADevice() throws IOException {
    group();
    Path vfio = root.resolve("sys/bus/pci/drivers/vfio-pci");
    Files.writeString(vfio.resolve("unbind"), "");
    Files.createSymbolicLink(directory.resolve("driver"), vfio);
    Files.createDirectories(directory.resolve("vfio-dev/vfio3"));
    Files.createDirectories(root.resolve("sys/bus/pci/drivers/other"));
    put("enable", "1\n");
    process("41", "idle", "/dev/null", "");
    process("42", "vmm", "/dev/vfio/devices/vfio3", "");
    process("43", "mapper", "/dev/null", "7f00-7f01 rw-s 0 00:06 5  /dev/vfio/devices/vfio3\n");
    process("44", "old", "/dev/vfio/7", "");
    process("45", "grouped", "anon_inode:[vfio-device]", "");
    fdInfo("45", "/sys/devices/pci0000:00/0000:00:03.0");
    process("46", "late", "/dev/vfio/devices/vfio3 (deleted)", "");
    process("47", "another", "/dev/vfio/devices/vfio4", "");
    fdInfo("47", "/sys/devices/pci0000:00/0000:00:04.0");

    assertThatThrownBy(() -> DriverBinding.bind(device(), "other"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining(
            "in use by process 42 (vmm), 43 (mapper), 44 (old), 45 (grouped), 46 (late).");
    assertThat(vfio.resolve("unbind")).isEmptyFile();
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void findsOutThatSomebodyWhoIsNotSeenUsesADevice() throws IOException {
    group();
    Path vfio = root.resolve("sys/bus/pci/drivers/vfio-pci");
    Files.writeString(vfio.resolve("unbind"), "");
    Files.createSymbolicLink(directory.resolve("driver"), vfio);
    put("enable", "1\n");

    assertThatThrownBy(() -> DriverBinding.giveBack(device()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("no process that can be seen has it open")
        .hasMessageEndingWith("/enable reads as 0 then");
    assertThat(vfio.resolve("unbind")).isEmptyFile();
  }

  /** The kernel holds the device's lock until the process has closed it. */
  @Test
  void doesNotWaitWhereAnotherUnbindWaits() throws IOException {
    group();
    process("46", "late", "/dev/vfio/devices/vfio3 (deleted)", "");
    fdInfo("46", "/sys/devices/pci0000:00/0000:00:03.0");

    assertBindFails("in use by process 46 (late)");
    assertThatThrownBy(() -> DriverBinding.giveBack(device()))
        .hasMessageContaining("in use by process 46 (late)");
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void aBridgeIsNeitherBoundNorTakenFromItsDriver() throws IOException {
    group();
    Path port = Files.createDirectories(root.resolve("sys/bus/pci/drivers/pcieport"));
    Files.writeString(port.resolve("unbind"), "");
    Files.createSymbolicLink(directory.resolve("driver"), port);
    put("secondary_bus_number", "2\n");

    assertBindFails("it is a bridge");
    assertThatThrownBy(() -> DriverBinding.giveBack(device()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("it is a bridge");
    assertThat(port.resolve("unbind")).isEmptyFile();
    assertThat(text("driver_override")).isEqualTo("(null)\n");
  }

  @Test
  void saysThatABarHasNoAddress() throws IOException {
    group();
    config(0);
    device().requireAssignable();
    put(
        "resource",
        """
        0x0000000000000000 0x00000007ffffffff 0x000000002014220c
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x0000000000000000 0x00000000000007ff 0x0000000020046200
        """);

    assertThat(device().resources())
        .extracting(PciResource::isAssigned)
        .containsExactly(false, false);
    assertThatThrownBy(device()::requireAssignable)
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith("assign 0000:00:03.0: BAR0, BAR2 not assigned")
        .hasMessageContaining("Above 4G")
        .hasMessageContaining("pci=realloc");
  }

  @Test
  void aRomWithoutAnAddressIsNoObstacle() throws IOException {
    group();
    config(0);
    put(
        "resource",
        "0x0000000000000000 0x0000000000000000 0x0000000000000000\n".repeat(6)
            + "0x0000000000000000 0x000000000007ffff 0x0000000020046200\n");

    device().requireAssignable();
    assertThat(device().resources()).singleElement().matches(rom -> !rom.isAssigned());
  }

  @Test
  void saysThatADeviceDoesNotAnswer() throws IOException {
    group();
    config(0xff);

    assertThatThrownBy(device()::requireAssignable)
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith("assign 0000:00:03.0: the device does not answer");
  }

  @Test
  void aResourceMayLieAboveTheSignedNumbers() throws IOException {
    put("resource", "0xfffffffffffff000 0xffffffffffffffff 0x0000000000140204\n");
    assertThat(device().resources())
        .containsExactly(new PciResource(0, -0x1000, 0x1000, 0x14_0204));
    put("resource", "0x7ffffffffffff000 0x8000000000000fff 0x0000000000140204\n");
    assertThat(device().resources())
        .containsExactly(new PciResource(0, 0x7fff_ffff_ffff_f000L, 0x2000, 0x14_0204));
  }

  @ParameterizedTest
  @CsvSource({
    "vendor, ''",
    "vendor, 0x8000000000000000",
    "resource, 0x0 0x1",
    "resource, 0x0 0xffffffffffffffff 0x200",
    "resource, 0x10000000000000000 0x10000000000000001 0x200",
    "numa_node, 9223372036854775808",
  })
  void whatMakesNoSenseIsNamed(String attribute, String text) throws IOException {
    config(0);
    put("device", "0x1111\n");
    put("subsystem_vendor", "0x1111\n");
    put("subsystem_device", "0x1111\n");
    put(attribute, text + "\n");

    assertThatThrownBy(() -> PciInfo.of(device()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith(
            "read /sys/bus/pci/devices/0000:00:03.0/" + attribute + ": it says '" + text + "'");
  }

  @Test
  void anEmptyConfigurationSpaceIsNamed() throws IOException {
    put("config", "");
    assertThatThrownBy(device()::config)
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("it says '0 bytes'");
  }

  @Test
  void aFunctionThatGoesMeanwhileIsLeftOut() throws IOException {
    Path other = root.resolve("sys/bus/pci/devices/0000:00:02.0");
    Files.createSymbolicLink(other, Path.of("../../../devices/pci0000:00/0000:00:02.0"));

    assertThat(new Pci(new TreeKernel(root)).each(PciDevice::vendor)).containsExactly(0x1234);
    Files.createDirectories(root.resolve("sys/devices/pci0000:00/0000:00:02.0"));
    assertThatThrownBy(() -> new Pci(new TreeKernel(root)).each(PciDevice::vendor))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("0000:00:02.0/vendor");
  }

  @Test
  void namesTheOthersThatKeepItsGroupFromBeingLent() throws IOException {
    group();
    member("0000:00:02.0", "pcieport");
    member("0000:00:03.1", "mlx5_vfio_pci");
    Files.createSymbolicLink(directory.resolve("driver"), root.resolve("sys/bus/pci/drivers/nvme"));
    device().requireViableGroup();

    member("0000:00:03.2", "snd_hda_intel");
    member("0000:00:03.3", "xhci_hcd");
    assertThatThrownBy(device()::requireViableGroup)
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith("assign 0000:00:03.0: ")
        .hasMessageContaining("0000:00:03.2 (snd_hda_intel), 0000:00:03.3 (xhci_hcd)")
        .hasMessageEndingWith("Next: bind 0000:00:03.2 to vfio-pci; bind 0000:00:03.3 to vfio-pci");

    member("0000:00:01.0", "shpchp");
    Path bridge = root.resolve("sys/bus/pci/devices/0000:00:01.0");
    Files.createDirectories(bridge);
    Files.writeString(bridge.resolve("secondary_bus_number"), "1\n");
    member("INT3400:00", "acpi-thing");
    assertThatThrownBy(device()::requireViableGroup)
        .hasMessageContaining("Next: boot without shpchp, as 0000:00:01.0 is a bridge; ")
        .hasMessageEndingWith("; take INT3400:00 from acpi-thing");
  }

  /**
   * The group of VFIO's no-IOMMU mode, or only the node, where the kernel has no groups of VFIO.
   */
  @Test
  void whatHasNoIommuIsNotAssigned() throws IOException {
    assertThatThrownBy(device()::requireViableGroup)
        .hasMessageContaining("the device has no IOMMU group");
    // Without a node, as in a kernel without CONFIG_VFIO_DEVICE_CDEV.
    Files.createDirectories(directory.resolve("vfio-dev/noiommu-vfio0"));
    assertThatThrownBy(device()::requireViableGroup)
        .hasMessageStartingWith("assign 0000:00:03.0: VFIO has the device in no-IOMMU mode");
    group();
    assertThat(device().hasIommu()).isFalse();
    Files.delete(directory.resolve("vfio-dev/noiommu-vfio0"));
    assertThat(device().hasIommu()).isTrue();
    Files.writeString(root.resolve("sys/kernel/iommu_groups/7/name"), "vfio-noiommu\n");
    assertThatThrownBy(device()::requireViableGroup)
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("its DMA reaches all of the host's memory");
  }

  /** Configuration space that is the same everywhere. */
  private void config(int value) throws IOException {
    byte[] config = new byte[256];
    Arrays.fill(config, (byte) value);
    Files.write(directory.resolve("config"), config);
  }

  private void fdInfo(String pid, String device) throws IOException {
    Path info = root.resolve("proc").resolve(pid).resolve("fdinfo/3");
    Files.createDirectories(info.getParent());
    Files.writeString(info, "pos:\t0\nvfio-device-syspath: " + device + "\n");
  }

  private void member(String address, String driver) throws IOException {
    Path member =
        Files.createDirectories(root.resolve("sys/kernel/iommu_groups/7/devices").resolve(address));
    Files.createSymbolicLink(
        member.resolve("driver"), root.resolve("sys/bus/pci/drivers").resolve(driver));
  }

  private void assertBindFails(String fault) {
    assertThatThrownBy(() -> DriverBinding.bind(device(), "vfio-pci"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith("bind 0000:00:03.0 to vfio-pci: ")
        .hasMessageContaining(fault);
  }

  private PciDevice device() {
    return new Pci(new TreeKernel(root)).device(ADDRESS);
  }

  private void group() throws IOException {
    Path devices = Files.createDirectories(root.resolve("sys/kernel/iommu_groups/7/devices"));
    Files.createSymbolicLink(devices.resolve(ADDRESS.toString()), directory);
    Files.createSymbolicLink(directory.resolve("iommu_group"), devices.getParent());
  }

  private void process(String pid, String name, String open, String maps) throws IOException {
    Path process = root.resolve("proc").resolve(pid);
    Files.createDirectories(process.resolve("fd"));
    Files.createSymbolicLink(process.resolve("fd/3"), Path.of(open));
    Files.writeString(process.resolve("comm"), name + "\n");
    Files.writeString(
        process.resolve("maps"), "5500-5501 r-xp 0 fe:00 9  /bin/" + name + "\n" + maps);
  }

  private void put(String attribute, String text) throws IOException {
    Path file = directory.resolve(attribute);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private String text(String attribute) throws IOException {
    return Files.readString(directory.resolve(attribute));
  }
}
