package dev.iolite.kvm;

import dev.iolite.kernel.HostKernel;
import org.junit.jupiter.api.Tag;

/** On the lab's kernel, which has VMs with private memory. */
@Tag("lab")
class KvmLabTest extends KvmSuite {
  KvmLabTest() {
    super(new HostKernel());
  }
}
