package dev.iolite.mock.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.pci.Machine;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.RegionInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShapeFileTest {
  private static final String ACCELERATOR =
      """
      vendor: 0x1234
      device: 0xcafe
      class: 0x120000
      revision: 3
      subsystem: {vendor: 0x1af4, device: 4352}
      bars:
        - {index: 0, size: 64K, type: memory64}
        - {index: 2, size: 16G, type: memory64, prefetchable: true}
        - {index: 4, size: 0x8000, type: memory32}
        - {index: 5, size: 32, type: ports}
      msi: {vectors: 4}
      msix: {vectors: 16, table: {bar: 4, offset: 0}, pba: {bar: 4, offset: 0x1000}}
      express: {flr: true, tee: true, ide: true}
      power: {keeps-state: false}
      tdi:
        - {bar: 0, page: 0, pages: 2}
        - {bar: 0, page: 2, pages: 1, attributes: [non-tee]}
        - {bar: 4, page: 0, pages: 1, attributes: [msix-table]}
      """;

  @Test
  void readsAllThatADeviceCanBe() {
    DeviceShape shape = ShapeFile.parse(ACCELERATOR);

    assertThat(shape)
        .isEqualTo(
            DeviceShape.builder(0x1234, 0xcafe)
                .classCode(0x12_0000)
                .revision(3)
                .subsystem(0x1af4, 0x1100)
                .bar(Bar.memory64(0, 64 << 10))
                .bar(Bar.prefetchable64(2, 16L << 30))
                .bar(Bar.memory32(4, 32 << 10))
                .bar(Bar.ports(5, 32))
                .msi(4)
                .msiX(new MsiX(16, 4, 0, 4, 0x1000))
                .express(new Express(true, true, true))
                .power(DeviceShape.Power.RESETS)
                .tdi(
                    TdiReport.of(
                        new TdiRange(0, 0, 2, 0),
                        new TdiRange(0, 2, 1, TdiRange.NON_TEE),
                        new TdiRange(4, 0, 1, TdiRange.MSIX_TABLE)))
                .build());
  }

  @Test
  void measurementsAreSaidOrTheUsual() {
    byte[] nonce = new byte[32];
    assertThat(ShapeFile.parse(ACCELERATOR).measurements()).isEqualTo(DeviceMeasurements.usual());
    DeviceMeasurements said =
        ShapeFile.parse(
                ACCELERATOR
                    + """
                    measurements:
                      - {index: 1, of: firmware, digest: "0011223344"}
                      - {index: 254, of: device-mode, raw: "0f"}
                    """)
            .measurements();
    assertThat(said.message(nonce))
        .isEqualTo(
            DeviceMeasurements.of(
                    new DeviceMeasurement(
                        1,
                        DeviceMeasurement.FIRMWARE,
                        MemorySegment.ofArray(new byte[] {0, 0x11, 0x22, 0x33, 0x44})),
                    new DeviceMeasurement(
                        254,
                        DeviceMeasurement.DEVICE_MODE | DeviceMeasurement.RAW,
                        MemorySegment.ofArray(new byte[] {0x0f})))
                .message(nonce));
    refuses(measured("{index: 1, of: weather, raw: '00'}"), "no measurement of weather");
    refuses(measured("{index: 1, of: rom}"), "either a 'digest' or 'raw' bytes");
    refuses(measured("{index: 1, of: rom, raw: '00', digest: '00'}"), "either a 'digest' or 'raw'");
    refuses(measured("{index: 256, of: rom, raw: '00'}"), "no such block");
    refuses(measured("{index: 1, of: rom, raw: 11}"), "hexadecimal digits in quotes, not 11");
    refuses(measured("{index: 1, of: rom, raw: '0g'}"), "hexadecimal digits in quotes");
  }

  private static String measured(String block) {
    return "{vendor: 1, device: 2, measurements: [" + block + "]}";
  }

  @Test
  void makesADeviceInAFewLines(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("device.yaml"), ACCELERATOR);
    MockKernel kernel =
        MockKernel.builder()
            .machine(
                new Machine().function("0000:00:08.0", DeviceModel.memory(ShapeFile.read(file))))
            .build();

    try (VfioUser user = new VfioUser(kernel, "0000:00:08.0")) {
      assertThat(user.device().regionInfos())
          .extracting(RegionInfo::bytes)
          .startsWith(64L << 10, 0L, 16L << 30, 0L, 32L << 10, 32L);
      user.device().region(PciRegion.BAR0).write64(8, 77);
      assertThat(user.device().region(PciRegion.BAR0).read64(8)).isEqualTo(77);
      assertThat(user.device().region(PciRegion.BAR5).read8(3)).isZero();
    }
  }

  @Test
  void saysWhatIsWrong() {
    refuses("vendor: 1\ndevice: [\n", "line 2 is no YAML: while parsing a flow node");
    refuses("5", "keys and values are expected");
    refuses("device: 1", "'vendor' is missing");
    refuses("{vendor: 1, vendor: 2, device: 2}", "uplicate");
    refuses(bar("{index: 0, size: 4K, size: 8K, type: memory32}"), "uplicate");
    refuses("{vendor: 1, device: 2, bar: []}", "there is no 'bar' here, only vendor");
    refuses("{vendor: 0x12345, device: 2}", "vendor 0x12345 has more than 16 bits");
    refuses("{vendor: 1, device: 2, bars: 5}", "'bars' is a list");
    refuses("{vendor: 1, device: [2]}", "'device' is a single value");
    refuses(bar("{index: 0, size: 3K, type: memory32}"), "a power of two");
    refuses(bar("{index: 0, size: 8E, type: memory32}"), "'size' is a number");
    refuses(bar("{index: 0, size: 99999999T, type: memory64}"), "'size' is a number");
    refuses(bar("{index: 0, size: 4K, type: rom}"), "memory32, memory64 or ports, not rom");
    refuses(bar("{index: 5, size: 4K, type: memory64}"), "no BAR of kind MEMORY_64 has index 5");
    refuses(bar("{index: 0, size: 4K, type: memory32, prefetchable: 1}"), "true or false");
    refuses(
        bar("{index: 0, size: 4K, type: memory64}, {index: 1, size: 4K, type: memory32}"),
        "BAR1 has no room");
    refuses("{vendor: 1, device: 2, msi: {vectors: 3}}", "MSI has 1, 2, 4");
    refuses(
        "{vendor: 1, device: 2, tdi: [{bar: 0, page: 0, pages: 1}]}", "there is no memory BAR0");
  }

  private static String bar(String bar) {
    return "{vendor: 1, device: 2, bars: [" + bar + "]}";
  }

  private static void refuses(String yaml, String why) {
    assertThatThrownBy(() -> ShapeFile.parse(yaml))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }
}
