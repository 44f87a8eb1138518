package dev.iolite.contract;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The client's classes on the lab's real kernel. */
@Tag("lab")
class ClientLabTest {
  @Nested
  class Irq extends ClientIrqContract {
    Irq() {
      super(Backend.lab());
    }
  }
}
