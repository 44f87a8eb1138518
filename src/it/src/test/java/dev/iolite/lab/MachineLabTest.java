package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The machine that {@code scripts/lab.d/boot} promises, on which the other lab tests count. */
@Tag("lab")
class MachineLabTest {
  private static final Path DEVICES = Path.of("/sys/bus/pci/devices");

  @ParameterizedTest
  @CsvSource({
    "0000:00:02.0, 0x1234, 0x11e8, ''",
    "0000:00:03.0, 0x1b36, 0x0010, nvme",
    "0000:00:07.0, 0x1af4, 0x1110, ''",
    "0000:01:01.0, 0x1234, 0x11e8, ''",
    "0000:01:02.0, 0x1af4, 0x1005, virtio-pci",
  })
  void hasDevice(String address, String vendor, String device, String driver) throws IOException {
    Path directory = DEVICES.resolve(address);

    assertThat(directory.resolve("vendor")).hasContent(vendor);
    assertThat(directory.resolve("device")).hasContent(device);
    assertThat(linkName(directory.resolve("driver")).orElse("")).isEqualTo(driver);
  }

  @ParameterizedTest
  @CsvSource({
    "0000:00:02.0, 1",
    "0000:00:03.0, 1",
    "0000:00:07.0, 1",
    "0000:01:01.0, 3",
    "0000:01:02.0, 3"
  })
  void groupHasDevices(String address, int count) {
    assertThat(DEVICES.resolve(address).resolve("iommu_group/devices").toFile().list())
        .contains(address)
        .hasSize(count);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/iommu", "/dev/vfio/vfio", "/dev/kvm", "/dev/udmabuf"})
  void hasDeviceFile(String path) {
    assertThat(Path.of(path)).exists().isReadable().isWritable();
  }

  @Test
  void runsTheKernelThatTheBindingsAreFor() throws IOException {
    assertThat(Files.readString(Path.of("/proc/sys/kernel/osrelease"))).startsWith("7.3.");
  }

  /** Its width is what the lab's reserved and usable I/O addresses follow from. */
  @Test
  void itsIommuTranslates39Bits() throws IOException {
    String capabilities = Files.readString(Path.of("/sys/class/iommu/dmar0/intel-iommu/cap"));
    long widthMinusOne = Long.parseUnsignedLong(capabilities.strip(), 16) >> 16 & 0x3f;

    assertThat(widthMinusOne + 1).isEqualTo(39);
  }

  private static Optional<String> linkName(Path link) throws IOException {
    return Files.exists(link)
        ? Optional.of(Files.readSymbolicLink(link).getFileName().toString())
        : Optional.empty();
  }
}
