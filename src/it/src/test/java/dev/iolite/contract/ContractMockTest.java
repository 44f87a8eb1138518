package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.Coverage;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Kvm;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The contract on the model. */
@Covers(Coverage.Backend.MODEL)
class ContractMockTest {
  @Nested
  class IommufdIoas extends IommufdIoasContract {
    IommufdIoas() {
      super(Backend.mock());
    }
  }

  @Nested
  class IommufdObjects extends IommufdObjectsContract {
    IommufdObjects() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioBind extends VfioBindContract {
    VfioBind() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioInfo extends VfioInfoContract {
    VfioInfo() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioRegion extends VfioRegionContract {
    VfioRegion() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioIrq extends VfioIrqContract {
    VfioIrq() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioFeature extends VfioFeatureContract {
    VfioFeature() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioDmaBuf extends VfioDmaBufContract {
    VfioDmaBuf() {
      super(Backend.mock());
    }
  }

  @Nested
  class Udmabuf extends UdmabufContract {
    Udmabuf() {
      super(Backend.mock());
    }
  }

  @Nested
  class IommufdHwpt extends IommufdHwptContract {
    IommufdHwpt() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmSlot extends KvmSlotContract {
    KvmSlot() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmAttribute extends KvmAttributeContract {
    KvmAttribute() {
      super(Backend.mock());
    }
  }

  @Nested
  class GuestMemfd extends GuestMemfdContract {
    GuestMemfd() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmVcpu extends KvmVcpuContract {
    KvmVcpu() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmCapability extends KvmCapabilityContract {
    KvmCapability() {
      super(Backend.mock());
    }

    @Test
    void nothingIsOfferedThatHasNoCase() {
      for (Platform platform : Platform.values()) {
        try (MockKernel host = MockKernel.builder().platform(platform).build();
            Kvm all = Kvm.open(host)) {
          assertThat(Capability.all())
              .filteredOn(capability -> all.check(capability) != 0)
              .allMatch(capability -> hasCase(capability.name()));
        }
      }
    }
  }

  @Nested
  class KvmVfioDevice extends KvmVfioDeviceContract {
    KvmVfioDevice() {
      super(Backend.mock());
    }
  }

  @Nested
  class File extends FileContract {
    File() {
      super(Backend.mock());
    }
  }

  @Nested
  class Sysfs extends SysfsContract {
    Sysfs() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioMsix extends VfioMsixContract {
    VfioMsix() {
      super(Backend.mock());
    }
  }

  @Nested
  class Nvme extends NvmeContract {
    Nvme() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioGrouped extends VfioGroupedContract {
    VfioGrouped() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioDma extends VfioDmaContract {
    VfioDma() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioGroup extends VfioGroupContract {
    VfioGroup() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioType1 extends VfioType1Contract {
    VfioType1() {
      super(Backend.mock());
    }
  }

  @Nested
  class VfioGroupIommufd extends VfioGroupIommufdContract {
    VfioGroupIommufd() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmState extends KvmStateContract {
    KvmState() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmTracking extends KvmTrackingContract {
    KvmTracking() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmSetting extends KvmSettingContract {
    KvmSetting() {
      super(Backend.mock());
    }
  }

  @Nested
  class ClientIrq extends ClientIrqContract {
    ClientIrq() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmInterrupt extends KvmInterruptContract {
    KvmInterrupt() {
      super(Backend.mock());
    }
  }

  @Nested
  class ClientGroup extends ClientGroupContract {
    ClientGroup() {
      super(Backend.mock());
    }
  }

  @Nested
  class ClientFeature extends ClientFeatureContract {
    ClientFeature() {
      super(Backend.mock());
    }
  }

  @Nested
  class ClientIommufd extends ClientIommufdContract {
    ClientIommufd() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmX86 extends KvmX86Contract {
    KvmX86() {
      super(Backend.mock());
    }
  }

  @Nested
  class KvmMonitor extends KvmMonitorContract {
    KvmMonitor() {
      super(Backend.mock());
    }
  }
}
