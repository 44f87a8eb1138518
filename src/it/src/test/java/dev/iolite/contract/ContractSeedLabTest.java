package dev.iolite.contract;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The private half of the contract, on the lab's kernel seed-2025. */
@Tag("seed")
class ContractSeedLabTest {
  @Nested
  class SeedBind extends SeedBindContract {
    SeedBind() {
      super(Backend.lab());
    }
  }

  @Nested
  class SeedGuest extends SeedGuestContract {
    SeedGuest() {
      super(Backend.lab());
    }
  }

  @Nested
  class SeedOrder extends SeedOrderContract {
    SeedOrder() {
      super(Backend.lab());
    }
  }

  @Nested
  class SeedReset extends SeedResetContract {
    SeedReset() {
      super(Backend.lab());
    }
  }
}
