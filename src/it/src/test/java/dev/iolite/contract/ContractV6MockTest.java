package dev.iolite.contract;

import org.junit.jupiter.api.Nested;

/** The calls of the profile v6, on the model of that kernel. */
class ContractV6MockTest {
  @Nested
  class V6Bind extends V6BindContract {
    V6Bind() {
      super(Backend.v6Mock());
    }
  }

  @Nested
  class V6Guest extends V6GuestContract {
    V6Guest() {
      super(Backend.v6Mock());
    }
  }
}
