package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/** What VFIO_DEVICE_FEATURE can get, set or probe. */
public enum VfioFeature {
  /** The secret that a PF and its VFs share. Set only. */
  PCI_VF_TOKEN(Vfio.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN()),
  /** Which ways of migration the device supports. */
  MIGRATION(Vfio.VFIO_DEVICE_FEATURE_MIGRATION()),
  /** The state of migration. */
  MIG_DEVICE_STATE(Vfio.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE()),
  /** Enters low power. Set only. */
  LOW_POWER_ENTRY(Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY()),
  /** Enters low power, with a notification of wake-ups. Set only. */
  LOW_POWER_ENTRY_WITH_WAKEUP(Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP()),
  /** Leaves low power. Set only. */
  LOW_POWER_EXIT(Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT()),
  /** Starts logging which pages the device writes. Set only. */
  DMA_LOGGING_START(Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_START()),
  /** Stops that logging. Set only. */
  DMA_LOGGING_STOP(Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP()),
  /** The log of the pages that the device wrote. */
  DMA_LOGGING_REPORT(Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT()),
  /** How much a migration would have to copy. */
  MIG_DATA_SIZE(Vfio.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE()),
  /** Bus mastering of devices that have no configuration space. Set only. */
  BUS_MASTER(Vfio.VFIO_DEVICE_FEATURE_BUS_MASTER()),
  /** A dma-buf over parts of a region. */
  DMA_BUF(Vfio.VFIO_DEVICE_FEATURE_DMA_BUF()),
  /** The second form of the pre-copy information. Set only. */
  MIG_PRECOPY_INFO_V2(Vfio.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2()),
  /** The last PCI error, on s390. */
  ZPCI_ERROR(Vfio.VFIO_DEVICE_FEATURE_ZPCI_ERROR());

  private final int index;

  VfioFeature(int index) {
    this.index = index;
  }

  /** The feature's number. */
  public int index() {
    return index;
  }
}
