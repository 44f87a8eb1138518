package dev.iolite.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.PciAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Adds a device to the model. */
class OwnDeviceTest {
  /** A device whose first register counts how often it was read. */
  private static final class Counter implements DeviceLogic, Registers {
    private int reads;

    @Override
    public Optional<Registers> registers(int bar) {
      return Optional.of(this);
    }

    @Override
    public long read(long offset, int bytes) {
      return offset == 0 ? ++reads : 0;
    }

    @Override
    public void write(long offset, int bytes, long value) {}

    @Override
    public void reset() {
      reads = 0;
    }
  }

  @Test
  void aProgramReadsTheRegisterOfADeviceThatTheTestDefines() {
    DeviceModel counter =
        new DeviceModel(
            DeviceShape.builder(0x1234, 0xc001).bar(Bar.memory32(0, 4096)).build(),
            host -> new Counter());
    Machine machine = new Machine().function("0000:00:02.0", counter);
    try (MockKernel kernel = MockKernel.builder().machine(machine).build()) {
      assertEquals(1, ReadRegister.read(kernel, PciAddress.parse("0000:00:02.0")));
    }
  }
}
