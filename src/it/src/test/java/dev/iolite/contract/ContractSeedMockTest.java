package dev.iolite.contract;

import org.junit.jupiter.api.Nested;

/** The private half of the contract, on the model of that kernel. */
class ContractSeedMockTest {
  @Nested
  class SeedBind extends SeedBindContract {
    SeedBind() {
      super(Backend.seedMock());
    }
  }

  @Nested
  class SeedGuest extends SeedGuestContract {
    SeedGuest() {
      super(Backend.seedMock());
    }
  }

  @Nested
  class SeedOrder extends SeedOrderContract {
    SeedOrder() {
      super(Backend.seedMock());
    }
  }

  @Nested
  class SeedReset extends SeedResetContract {
    SeedReset() {
      super(Backend.seedMock());
    }
  }
}
