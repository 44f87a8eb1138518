package dev.iolite.vmm;

import dev.iolite.mock.MockKernel;

/** A guest that converts its memory, on the model. */
class PrivateMemoryTest extends PrivateMemoryContract {
  PrivateMemoryTest() {
    super(MockKernel.plain());
  }
}
