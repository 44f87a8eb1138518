package dev.iolite.vmm;

import dev.iolite.kernel.HostKernel;
import org.junit.jupiter.api.Tag;

/** A guest that converts its memory, on the lab's kernel. */
@Tag("lab")
class PrivateMemoryLabTest extends PrivateMemoryContract {
  PrivateMemoryLabTest() {
    super(new HostKernel());
  }
}
