package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        .hasMessageContaining("Next: iolite pci list");
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
    assertThat(text("driver_override")).isEqualTo("stubborn");
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
        .hasMessageContaining("Next: iolite pci bind 0000:00:03.0");

    Files.createSymbolicLink(
        directory.resolve("driver"), root.resolve("sys/bus/pci/drivers/vfio-pci"));
    assertThatThrownBy(device()::requireVfioCdev)
        .hasMessageContaining("built without CONFIG_VFIO_DEVICE_CDEV");

    Files.createDirectories(directory.resolve("vfio-dev/vfio3"));
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
    process("41", "idle", "/dev/null", "");
    process("42", "vmm", "/dev/vfio/devices/vfio3", "");
    process("43", "mapper", "/dev/null", "7f00-7f01 rw-s 0 00:06 5  /dev/vfio/devices/vfio3\n");
    process("44", "old", "/dev/vfio/7", "");

    assertThatThrownBy(() -> DriverBinding.bind(device(), "other"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("in use by process 42 (vmm), 43 (mapper), 44 (old)");
    assertThat(vfio.resolve("unbind")).isEmptyFile();
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
        .hasMessageEndingWith("Next: iolite pci bind 0000:00:03.2; iolite pci bind 0000:00:03.3");
  }

  /**
   * The group of VFIO's no-IOMMU mode, or only the node, where the kernel has no groups of VFIO.
   */
  @Test
  void whatHasNoIommuIsNotAssigned() throws IOException {
    assertThatThrownBy(device()::requireViableGroup)
        .hasMessageContaining("the device has no IOMMU group");
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
