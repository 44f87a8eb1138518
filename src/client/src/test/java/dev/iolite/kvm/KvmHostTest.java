package dev.iolite.kvm;

import dev.iolite.kernel.HostKernel;

/** On this machine's own kernel, where it has KVM. */
class KvmHostTest extends KvmSuite {
  KvmHostTest() {
    super(new HostKernel());
  }
}
