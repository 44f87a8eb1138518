package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.Region;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The lists of capabilities lead past those that VFIO does not know; all else of a capability that
 * it shows as it is comes from the device (vfio_pci_config.c:vfio_direct_config_read).
 */
class ConfigLinksTest {
  private static final String ADDRESS = "0000:00:07.0";
  private static final int VENDOR_SPECIFIC = 0x09;
  private static final int BRIDGE_IDS = 0x0d;
  private static final int ERRORS = 0x01;
  private static final int SERIAL_NUMBER = 0x03;
  private static final int RESIZABLE_VF_BAR = 0x24;

  private final byte[] bytes = new byte[PciRegs.EXTENDED_BYTES];
  private MockKernel kernel;
  private VfioUser user;
  private Region config;

  @BeforeEach
  void open() {
    put(PciRegs.VENDOR, 4, 0x7d18_1234);
    put(PciRegs.STATUS, 2, PciRegs.STATUS_CAPABILITIES);
    put(PciRegs.CAPABILITIES, 1, 0x40);
    put(0x40, 4, 0x5a08_5000 | VENDOR_SPECIFIC);
    put(0x44, 4, 0x1122_3344);
    put(0x50, 2, 0x6000 | BRIDGE_IDS);
    put(0x60, 4, 0xa508_8000 | VENDOR_SPECIFIC);
    put(0x80, 4, 0x0002_0000 | PciRegs.CAP_EXPRESS);
    put(0x100, 4, 0x1401_0000 | ERRORS);
    put(0x104, 4, 0x5566_7788);
    put(0x140, 4, 0x1801_0000 | RESIZABLE_VF_BAR);
    put(0x180, 4, 0x0001_0000 | SERIAL_NUMBER);
    kernel =
        MockKernel.builder()
            .machine(
                new Machine()
                    .function(
                        ADDRESS,
                        DeviceModel.memory(
                            DeviceShape.builder(0x1234, 0x7d18)
                                .image(new ConfigImage(bytes))
                                .build())))
            .build();
    user = new VfioUser(kernel, ADDRESS);
    config = user.device().config().region();
  }

  private void put(int at, int width, int value) {
    for (int i = 0; i < width; i++) {
      bytes[at + i] = (byte) (value >>> (i * Byte.SIZE));
    }
  }

  @AfterEach
  void close() {
    user.close();
    kernel.close();
  }

  @Test
  void oneOfTheStandardListIsSkipped() {
    assertThat(config.read32(0x40)).isEqualTo(0x5a08_6000 | VENDOR_SPECIFIC);
    assertThat(config.read16(0x40)).isEqualTo((short) (0x6000 | VENDOR_SPECIFIC));
    assertThat(config.read8(0x41)).isEqualTo((byte) 0x60);
    assertThat(config.read16(0x42)).isEqualTo((short) 0x5a08);
    assertThat(config.read32(0x44)).isEqualTo(0x1122_3344);
  }

  @Test
  void oneOfTheExtendedListIsSkipped() {
    assertThat(config.read32(0x100)).isEqualTo(0x1801_0000 | ERRORS);
    assertThat(config.read16(0x102)).isEqualTo((short) 0x1801);
    assertThat(config.read8(0x103)).isEqualTo((byte) 0x18);
    assertThat(config.read32(0x104)).isEqualTo(0x5566_7788);
  }
}
