package dev.iolite.vmm;

import dev.iolite.kernel.HostKernel;
import org.junit.jupiter.api.Tag;

/** Devices that a guest gets, on the lab's kernel. */
@Tag("lab")
class AssignedDeviceLabTest extends AssignedDeviceContract {
  AssignedDeviceLabTest() {
    super(new HostKernel());
  }
}
