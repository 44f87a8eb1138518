package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A device that the lab's kernel suspends, and that a call wakes. */
@Tag("lab")
class WakeUpLabTest {
  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Kernel kernel = new HostKernel();

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_runtime_resume. */
  @Test
  void theEventfdIsSignalledAndTheDeviceStaysAwake() {
    try (DriverBinding at = DriverBinding.bind(new Pci(kernel).device(EDU), "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice unbound =
            VfioDevice.open(kernel, at.device().requireVfioCdev(), EDU.toString());
        BoundVfioDevice device = unbound.bind(iommufd);
        EventFd event = EventFd.create(kernel)) {
      assertThat(device.lowPower().enter(event)).isTrue();
      awaitSuspension();
      assertThat(event.await(Duration.ZERO)).as("nothing has woken it").isZero();
      device.info();
      assertThat(event.await(Duration.ZERO)).isEqualTo(1);
      assertThat(device.lowPower().enter(event)).as("it was awake").isTrue();
      assertThat(device.lowPower().leave()).isTrue();
    }
  }

  /** The kernel suspends it some time after the last call. */
  private void awaitSuspension() {
    SysFs sysfs = new SysFs(kernel);
    String status = "/sys/bus/pci/devices/" + EDU + "/power/runtime_status";
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!sysfs.read(status).strip().equals("suspended")) {
      if (System.nanoTime() > end) {
        fail("it is not suspended, but " + sysfs.read(status));
      }
      LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
    }
  }
}
