package dev.iolite.passthrough;

import dev.iolite.mock.Faults;
import dev.iolite.mock.MockKernel;
import java.util.List;

/** The scenario, unchanged, on the model. */
class PassthroughMockTest extends PassthroughSuite {
  PassthroughMockTest() {
    super(MockKernel.plain(), List.of(Faults.When.values()));
  }
}
