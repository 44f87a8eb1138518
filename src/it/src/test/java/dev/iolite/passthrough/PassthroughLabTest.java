package dev.iolite.passthrough;

import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.Faults;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** The scenario on the lab's real kernel and its devices. */
@Tag("lab")
class PassthroughLabTest extends PassthroughSuite {
  PassthroughLabTest() {
    super(new HostKernel(), List.of(Faults.When.BEFORE));
  }
}
