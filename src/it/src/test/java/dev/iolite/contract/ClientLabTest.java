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

  @Nested
  class Group extends ClientGroupContract {
    Group() {
      super(Backend.lab());
    }
  }

  @Nested
  class Feature extends ClientFeatureContract {
    Feature() {
      super(Backend.lab());
    }
  }

  @Nested
  class Iommufd extends ClientIommufdContract {
    Iommufd() {
      super(Backend.lab());
    }
  }
}
