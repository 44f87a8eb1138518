package dev.iolite.kvm;

import dev.iolite.mock.MockKernel;

/** On the model, which must do what the two others do. */
class KvmMockTest extends KvmSuite {
  KvmMockTest() {
    super(MockKernel.plain());
  }
}
