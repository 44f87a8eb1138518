package dev.iolite.contract;

import org.junit.jupiter.api.Nested;

/** The client's classes on the model. */
class ClientMockTest {
  @Nested
  class Irq extends ClientIrqContract {
    Irq() {
      super(Backend.mock());
    }
  }
}
