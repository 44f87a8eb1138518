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

  @Nested
  class Group extends ClientGroupContract {
    Group() {
      super(Backend.mock());
    }
  }

  @Nested
  class Feature extends ClientFeatureContract {
    Feature() {
      super(Backend.mock());
    }
  }

  @Nested
  class Iommufd extends ClientIommufdContract {
    Iommufd() {
      super(Backend.mock());
    }
  }
}
