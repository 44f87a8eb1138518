package dev.iolite.contract;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The calls of the profile v6, on the lab's kernel v6. */
@Tag("v6")
class ContractV6LabTest {
  @Nested
  class V6Bind extends V6BindContract {
    V6Bind() {
      super(Backend.lab());
    }
  }

  @Nested
  class V6Guest extends V6GuestContract {
    V6Guest() {
      super(Backend.lab());
    }
  }
}
