package dev.iolite.tdi;

import dev.iolite.kernel.HostKernel;
import org.junit.jupiter.api.Tag;

/** On the lab's real kernel and its devices. */
@Tag("lab")
@Tag("stock")
class SharedHalfLabTest extends SharedHalfSuite {
  SharedHalfLabTest() {
    super(new HostKernel());
  }
}
