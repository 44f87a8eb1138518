package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciRegs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** Devices that a guest gets, on the model: also one that the lab does not have. */
class AssignedDeviceTest extends AssignedDeviceContract {
  /** A device with four messages, whose addresses have 32 bits. */
  private static final PciAddress NARROW = PciAddress.parse("0000:00:09.0");

  private static final int FOUR = 2;
  private static final int MSI_AT = 0x40;
  private static final int FIRST = 0x64;

  private final MockKernel model = (MockKernel) kernel;

  AssignedDeviceTest() {
    super(
        MockKernel.builder().machine(Machine.lab().function(NARROW.toString(), narrow())).build());
  }

  private static DeviceModel narrow() {
    ByteBuffer config =
        ByteBuffer.allocate(PciRegs.CONVENTIONAL_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort(PciRegs.VENDOR, (short) 0x1234)
            .putShort(PciRegs.DEVICE, (short) 0x7d19)
            .putShort(PciRegs.STATUS, (short) PciRegs.STATUS_CAPABILITIES)
            .put(PciRegs.CAPABILITIES, (byte) MSI_AT)
            .put(MSI_AT, (byte) PciRegs.CAP_MSI)
            .putShort(MSI_AT + PciRegs.MSI_FLAGS, (short) (FOUR << 1));
    return DeviceModel.memory(
        DeviceShape.builder(0x1234, 0x7d19)
            .bar(Bar.memory32(0, 0x1000))
            .withoutInterruptPin()
            .msi(1 << FOUR)
            .image(new ConfigImage(config.array()))
            .build());
  }

  private void enableFour() {
    machine().assign(NARROW);
    machine().setConfig(SLOT, PciRegs.COMMAND, 2, DECODE_AND_DMA);
    setMessage(FIRST);
    setMsi(PciRegs.MSI_ENABLE | FOUR << 4);
  }

  @Test
  void messagesOf32BitsDifferInTheLowBitsOfTheirData() {
    enableFour();
    assertThat(machine().config(SLOT, MSI_AT + 8, 2)).isEqualTo(FIRST);
    model.device(NARROW.toString()).send(2);
    assertThat(machine().comes(FIRST + 2)).isTrue();
    model.device(NARROW.toString()).send(0);
    assertThat(machine().comes(FIRST)).isTrue();
    assertThat(machine().isRequested(FIRST + 1)).isFalse();
  }

  @Test
  void aDeviceHasTheOneMessageForWhichTheHostHasAVector() {
    model.device(NARROW.toString()).pci().limitVectors(1);
    enableFour();
    model.device(NARROW.toString()).send(0);
    assertThat(machine().comes(FIRST)).isTrue();
  }
}
