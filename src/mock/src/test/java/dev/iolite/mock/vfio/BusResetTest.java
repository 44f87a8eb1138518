package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A device that can't be reset alone is reset with its bus, when VFIO has all of the bus and none
 * of it is in use (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_try_reset).
 */
class BusResetTest {
  private static final String BRIDGE = "0000:00:04.0";
  private static final String FIRST = "0000:01:01.0";
  private static final String SECOND = "0000:01:02.0";

  private int resets;
  private final MockKernel kernel =
      MockKernel.builder()
          .machine(
              new Machine()
                  .function(
                      BRIDGE,
                      DeviceModel.memory(
                          DeviceShape.builder(0x1b36, 1).classCode(0x06_0400).bridgeTo(1).build()))
                  .function(FIRST, counted())
                  .function(
                      SECOND,
                      DeviceModel.memory(
                          DeviceShape.builder(0x1234, 0x7d19)
                              .express(new Express(true, false, false))
                              .build()))
                  .group(BRIDGE, FIRST, SECOND))
          .build();
  private final SysFs sysfs = new SysFs(kernel);
  private final Iommufd iommufd = Iommufd.open(kernel);

  /** A device that only the bus can reset; the second one has a reset of its own. */
  private DeviceModel counted() {
    return new DeviceModel(
        DeviceShape.builder(0x1234, 0x7d18).build(),
        _ ->
            new DeviceLogic() {
              @Override
              public void reset() {
                resets++;
              }
            });
  }

  @BeforeEach
  void giveTheFirst() {
    give(FIRST);
    resets = 0;
  }

  @AfterEach
  void close() {
    iommufd.close();
    kernel.close();
  }

  private void give(String address) {
    sysfs.write("/sys/bus/pci/devices/" + address + "/driver_override", "vfio-pci");
    sysfs.write("/sys/bus/pci/drivers/vfio-pci/bind", address);
  }

  private BoundVfioDevice open(String address) {
    String path = new Pci(kernel).device(PciAddress.parse(address)).requireVfioCdev();
    return VfioDevice.open(kernel, path, address).bind(iommufd);
  }

  @Test
  void theBusIsResetWhenTheLastOfItsDevicesIsClosed() {
    give(SECOND);
    BoundVfioDevice first = open(FIRST);
    BoundVfioDevice second = open(SECOND);
    first.close();
    assertThat(resets).as("the second one is in use").isZero();
    second.close();
    assertThat(resets).isEqualTo(1);
    open(SECOND).close();
    assertThat(resets).as("nobody has used the first one since").isEqualTo(1);
    open(FIRST).close();
    assertThat(resets).isEqualTo(2);
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_pm_runtime_get. */
  @Test
  void aHotResetWakesTheOtherDevices() {
    give(SECOND);
    try (EventFd event = EventFd.create(kernel);
        BoundVfioDevice first = open(FIRST);
        BoundVfioDevice second = open(SECOND)) {
      assertThat(first.lowPower().enter(event)).isTrue();
      // The bridge has no driver and is in the group, which suffices.
      second.hotReset();
      assertThat(resets).isEqualTo(1);
      assertThat(event.await(Duration.ZERO)).isEqualTo(1);
    }
  }

  @Test
  void aBusOfWhichVfioHasOnlyAPartIsNotReset() {
    open(FIRST).close();
    assertThat(resets).isZero();
  }
}
