package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** VFIO_DEVICE_FEATURE: what there is, and how it is asked for. */
abstract class VfioFeatureContract extends VfioContract {
  private static final int GET = Vfio.VFIO_DEVICE_FEATURE_GET();
  private static final int SET = Vfio.VFIO_DEVICE_FEATURE_SET();
  private static final int PROBE = Vfio.VFIO_DEVICE_FEATURE_PROBE();
  private static final int DMA_BUF = Vfio.VFIO_DEVICE_FEATURE_DMA_BUF();
  private static final int LOW_POWER = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY();
  private static final int LOW_POWER_EXIT = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT();
  private static final int WAKEUP = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP();
  private static final int MIGRATION = Vfio.VFIO_DEVICE_FEATURE_MIGRATION();
  private static final int TOKEN = Vfio.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN();
  private static final int UNKNOWN = 0x1234;

  private int device = NO_FD;

  VfioFeatureContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void enable() {
    device = enabledDevice();
  }

  @Test
  void aFeatureAtNowhereIsAFault() {
    // vfio_main.c:vfio_ioctl_device_feature
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_FEATURE, NOWHERE));
  }

  @Test
  void aFeatureIsEightBytesAtLeast() {
    // vfio_main.c:vfio_ioctl_device_feature
    MemorySegment feature = featureOf(GET | UNKNOWN, 0);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, shortened(feature, 7)));
    fails(Errno.ENOTTY, ioctl(device, VFIO_DEVICE_FEATURE, shortened(feature, 8)));
  }

  @Test
  void unknownFlagsAreInvalidBeforeTheFeatureIsLookedFor() {
    // vfio_main.c:vfio_ioctl_device_feature
    fails(Errno.EINVAL, feature(device, 1 << 19 | UNKNOWN, 0));
  }

  @Test
  void getAndSetExcludeEachOtherButForAProbe() {
    // vfio_main.c:vfio_ioctl_device_feature
    fails(Errno.EINVAL, feature(device, GET | SET | UNKNOWN, 0));
    fails(Errno.ENOTTY, feature(device, GET | SET | PROBE | UNKNOWN, 0));
  }

  @Test
  void aFeatureThatIsNotKnownIsNoIoctl() {
    // vfio_pci_core.c:vfio_pci_core_ioctl_feature
    fails(Errno.ENOTTY, feature(device, PROBE | UNKNOWN, 0));
    fails(Errno.ENOTTY, feature(device, GET | UNKNOWN, 64));
    fails(Errno.ENOTTY, feature(device, UNKNOWN, 0));
  }

  @Test
  void dmaBufIsThereToGet() {
    // vfio.h:vfio_check_feature
    succeeds(feature(device, PROBE | GET | DMA_BUF, 0));
    succeeds(feature(device, PROBE | DMA_BUF, 0));
  }

  @Test
  void dmaBufIsNotThereToSet() {
    // vfio.h:vfio_check_feature: flags that are not among the supported
    fails(Errno.EINVAL, feature(device, PROBE | SET | DMA_BUF, 0));
    fails(Errno.EINVAL, feature(device, SET | DMA_BUF, 64));
  }

  @Test
  void aFeatureIsGottenSetOrProbed() {
    // vfio.h:vfio_check_feature: neither of them
    fails(Errno.EINVAL, feature(device, DMA_BUF, 64));
  }

  @Test
  void theDataOfAFeatureMustHaveRoom() {
    // vfio.h:vfio_check_feature: argsz
    fails(Errno.EINVAL, feature(device, GET | DMA_BUF, 15));
  }

  @Test
  void aDeviceThatCanNotBeMovedHasNoMigration() {
    // vfio_main.c:vfio_ioctl_device_feature_migration: no mig_ops
    fails(Errno.ENOTTY, feature(device, PROBE | GET | MIGRATION, 0));
    fails(Errno.ENOTTY, feature(device, GET | MIGRATION, 8));
    int state = Vfio.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE();
    fails(Errno.ENOTTY, feature(device, GET | state, 8));
    int size = Vfio.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE();
    fails(Errno.ENOTTY, feature(device, GET | size, 8));
  }

  @Test
  void aDeviceThatCanNotLogItsDmaDoesNot() {
    // vfio_main.c:vfio_ioctl_device_feature_logging_start: no log_ops
    fails(Errno.ENOTTY, feature(device, SET | Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_START(), 32));
    fails(Errno.ENOTTY, feature(device, SET | Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP(), 0));
    fails(Errno.ENOTTY, feature(device, GET | Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT(), 32));
  }

  @Test
  void aDeviceWithoutVirtualFunctionsHasNoToken() {
    // vfio_pci_core.c:vfio_pci_core_feature_token
    fails(Errno.ENOTTY, feature(device, PROBE | SET | TOKEN, 0));
    fails(Errno.ENOTTY, feature(device, SET | TOKEN, 16));
  }

  @Test
  void busMasteringIsNoFeatureOfPci() {
    // vfio_pci_core.c:vfio_pci_core_ioctl_feature
    fails(Errno.ENOTTY, feature(device, PROBE | Vfio.VFIO_DEVICE_FEATURE_BUS_MASTER(), 0));
  }

  @Test
  void lowPowerIsSetNotGotten() {
    // vfio_pci_core.c:vfio_pci_core_pm_entry
    succeeds(feature(device, PROBE | SET | LOW_POWER, 0));
    fails(Errno.EINVAL, feature(device, PROBE | GET | LOW_POWER, 0));
    fails(Errno.EINVAL, feature(device, GET | LOW_POWER, 0));
  }

  @Test
  void inLowPowerTheRegistersAreStillReached() {
    // vfio_pci_core.c:vfio_pci_core_pm_entry, vfio_pci_rw: pm_runtime_resume_and_get wakes it
    succeeds(feature(device, SET | LOW_POWER, 0));
    assertThat(read(device, CONFIG, 0, 4)).isEqualTo(0x11e8_1234L);
    succeeds(feature(device, SET | LOW_POWER_EXIT, 0));
  }

  @Test
  void lowPowerIsEnteredOnce() {
    // vfio_pci_core.c:vfio_pci_runtime_pm_entry
    succeeds(feature(device, SET | LOW_POWER, 0));
    fails(Errno.EINVAL, feature(device, SET | LOW_POWER, 0));
    succeeds(feature(device, SET | LOW_POWER_EXIT, 0));
    succeeds(feature(device, SET | LOW_POWER_EXIT, 0));
  }

  @Test
  void wakeupNeedsAnEventfd() {
    // vfio_pci_core.c:vfio_pci_core_pm_entry_with_wakeup
    succeeds(feature(device, PROBE | SET | WAKEUP, 0));
    fails(Errno.EINVAL, feature(device, SET | WAKEUP, 0));
    MemorySegment feature = featureOf(SET | WAKEUP, 8);
    feature.set(ValueLayout.JAVA_INT, 8, -1);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, feature));
    feature.set(ValueLayout.JAVA_INT, 8, iommufd);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, feature));
    feature.set(ValueLayout.JAVA_INT, 12, 1);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, feature));
  }
}
