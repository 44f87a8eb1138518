package dev.iolite.tdi;

import dev.iolite.mock.MockKernel;

/** On the model. */
class SharedHalfMockTest extends SharedHalfSuite {
  SharedHalfMockTest() {
    super(MockKernel.plain());
  }
}
