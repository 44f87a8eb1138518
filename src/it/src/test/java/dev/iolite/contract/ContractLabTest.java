package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract on the lab's real kernel. */
@Covers(Coverage.Backend.LAB)
@Tag("lab")
class ContractLabTest {
  @Nested
  class IommufdIoas extends IommufdIoasContract {
    IommufdIoas() {
      super(Backend.lab());
    }
  }

  @Nested
  class IommufdObjects extends IommufdObjectsContract {
    IommufdObjects() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioBind extends VfioBindContract {
    VfioBind() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioInfo extends VfioInfoContract {
    VfioInfo() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioRegion extends VfioRegionContract {
    VfioRegion() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioIrq extends VfioIrqContract {
    VfioIrq() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioFeature extends VfioFeatureContract {
    VfioFeature() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioDmaBuf extends VfioDmaBufContract {
    VfioDmaBuf() {
      super(Backend.lab());
    }
  }

  @Nested
  class Udmabuf extends UdmabufContract {
    Udmabuf() {
      super(Backend.lab());
    }
  }

  @Nested
  class IommufdHwpt extends IommufdHwptContract {
    IommufdHwpt() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmSlot extends KvmSlotContract {
    KvmSlot() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmAttribute extends KvmAttributeContract {
    KvmAttribute() {
      super(Backend.lab());
    }
  }

  @Nested
  class GuestMemfd extends GuestMemfdContract {
    GuestMemfd() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmVcpu extends KvmVcpuContract {
    KvmVcpu() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmCapability extends KvmCapabilityContract {
    KvmCapability() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmVfioDevice extends KvmVfioDeviceContract {
    KvmVfioDevice() {
      super(Backend.lab());
    }
  }

  @Nested
  class File extends FileContract {
    File() {
      super(Backend.lab());
    }
  }

  @Nested
  class Sysfs extends SysfsContract {
    Sysfs() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioMsix extends VfioMsixContract {
    VfioMsix() {
      super(Backend.lab());
    }
  }

  @Nested
  class Nvme extends NvmeContract {
    Nvme() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioGrouped extends VfioGroupedContract {
    VfioGrouped() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioDma extends VfioDmaContract {
    VfioDma() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioGroup extends VfioGroupContract {
    VfioGroup() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioType1 extends VfioType1Contract {
    VfioType1() {
      super(Backend.lab());
    }
  }

  @Nested
  class VfioGroupIommufd extends VfioGroupIommufdContract {
    VfioGroupIommufd() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmState extends KvmStateContract {
    KvmState() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmTracking extends KvmTrackingContract {
    KvmTracking() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmSetting extends KvmSettingContract {
    KvmSetting() {
      super(Backend.lab());
    }
  }

  @Nested
  class ClientIrq extends ClientIrqContract {
    ClientIrq() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmInterrupt extends KvmInterruptContract {
    KvmInterrupt() {
      super(Backend.lab());
    }
  }

  @Nested
  class ClientGroup extends ClientGroupContract {
    ClientGroup() {
      super(Backend.lab());
    }
  }

  @Nested
  class ClientFeature extends ClientFeatureContract {
    ClientFeature() {
      super(Backend.lab());
    }
  }

  @Nested
  class ClientIommufd extends ClientIommufdContract {
    ClientIommufd() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmX86 extends KvmX86Contract {
    KvmX86() {
      super(Backend.lab());
    }
  }

  @Nested
  class KvmMonitor extends KvmMonitorContract {
    KvmMonitor() {
      super(Backend.lab());
    }
  }
}
