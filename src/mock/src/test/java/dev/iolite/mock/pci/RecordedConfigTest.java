package dev.iolite.mock.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.pci.PciRegs;
import org.junit.jupiter.api.Test;

/** Which registers of a recorded function software can write, and what they are at power-on. */
class RecordedConfigTest {
  private static final int PM = 0x40;
  private static final int MSI = 0x48;
  private static final int MSI_ADDRESS_HIGH = MSI + 8;
  private static final int MSI_DATA = MSI + 12;

  private final byte[] bytes = new byte[PciRegs.CONVENTIONAL_BYTES];

  /** A function that was recorded asleep, and with its messages enabled. */
  private FunctionConfig recorded(int msiFlags) {
    put(PciRegs.VENDOR, 2, 0x8086);
    put(PciRegs.STATUS, 2, PciRegs.STATUS_CAPABILITIES);
    put(PciRegs.CAPABILITIES, 1, PM);
    put(PM, 2, MSI << 8 | PciRegs.CAP_PM);
    put(PM + PciRegs.PM_CTRL, 2, PciRegs.PM_CTRL_NO_SOFT_RESET | 3);
    put(MSI, 2, PciRegs.CAP_MSI);
    put(MSI + PciRegs.MSI_FLAGS, 2, msiFlags | PciRegs.MSI_ENABLE);
    put(MSI_ADDRESS_HIGH, 4, 0x55);
    FunctionConfig space = new FunctionConfig(bytes.length);
    RecordedConfig.define(
        space, DeviceShape.builder(0x8086, 0x1572).build(), new ConfigImage(bytes));
    return space;
  }

  private void put(int at, int width, int value) {
    for (int i = 0; i < width; i++) {
      bytes[at + i] = (byte) (value >>> (i * Byte.SIZE));
    }
  }

  private static int afterWrite(FunctionConfig space, int at, int width, int value) {
    space.write(at, width, value);
    return space.read(at, width);
  }

  @Test
  void aFunctionIsAwakeAndCanBePutToSleep() {
    FunctionConfig space = recorded(PciRegs.MSI_64);
    int control = PM + PciRegs.PM_CTRL;
    assertThat(space.read(control, 2)).isEqualTo(PciRegs.PM_CTRL_NO_SOFT_RESET);
    assertThat(afterWrite(space, control, 2, PciRegs.PM_CTRL_PME_ENABLE | 3))
        .isEqualTo(PciRegs.PM_CTRL_NO_SOFT_RESET | PciRegs.PM_CTRL_PME_ENABLE | 3);
  }

  @Test
  void aWideMessageAddressHasTwoHalves() {
    FunctionConfig space = recorded(PciRegs.MSI_64);
    assertThat(space.read(MSI + PciRegs.MSI_FLAGS, 2)).isEqualTo(PciRegs.MSI_64);
    assertThat(space.read(MSI_ADDRESS_HIGH, 4)).isZero();
    assertThat(afterWrite(space, MSI_ADDRESS_HIGH, 4, 0x1234_5678)).isEqualTo(0x1234_5678);
    assertThat(afterWrite(space, MSI_DATA, 2, -1)).isEqualTo(0xffff);
  }

  @Test
  void afterANarrowOneComesTheData() {
    FunctionConfig space = recorded(0);
    assertThat(afterWrite(space, MSI_ADDRESS_HIGH, 2, -1)).isEqualTo(0xffff);
    assertThat(afterWrite(space, MSI_DATA, 2, -1)).isZero();
  }
}
