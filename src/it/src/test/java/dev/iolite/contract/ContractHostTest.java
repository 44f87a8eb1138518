package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import org.junit.jupiter.api.Nested;

/** The part of the contract that needs KVM only, on this machine's own kernel. */
@Covers(Coverage.Backend.HOST)
class ContractHostTest {

  @Nested
  class KvmSlot extends KvmSlotContract {
    KvmSlot() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmAttribute extends KvmAttributeContract {
    KvmAttribute() {
      super(Backend.host());
    }
  }

  @Nested
  class GuestMemfd extends GuestMemfdContract {
    GuestMemfd() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmVcpu extends KvmVcpuContract {
    KvmVcpu() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmState extends KvmStateContract {
    KvmState() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmTracking extends KvmTrackingContract {
    KvmTracking() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmSetting extends KvmSettingContract {
    KvmSetting() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmInterrupt extends KvmInterruptContract {
    KvmInterrupt() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmX86 extends KvmX86Contract {
    KvmX86() {
      super(Backend.host());
    }
  }

  @Nested
  class KvmMonitor extends KvmMonitorContract {
    KvmMonitor() {
      super(Backend.host());
    }
  }
}
