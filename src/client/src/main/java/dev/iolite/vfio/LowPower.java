package dev.iolite.vfio;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.vfio.vfio_device_low_power_entry_with_wakeup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Lets the kernel suspend a device. See drivers/vfio/pci/vfio_pci_core.c:vfio_pci_runtime_pm_entry.
 *
 * <p>Safe for use by several threads.
 */
public final class LowPower {
  private final DeviceFeatures features;

  LowPower(DeviceFeatures features) {
    this.features = features;
  }

  /**
   * Lets the kernel suspend the device until {@link #leave}, by SET of LOW_POWER_ENTRY. Its BARs'
   * mappings and its dma-bufs are revoked; a call on its descriptor wakes the device for as long as
   * the call lasts.
   *
   * @return false if the device does not have the feature (ENOTTY)
   * @throws KernelException EINVAL: the device is already allowed to suspend; its dma-bufs are
   *     revoked all the same
   */
  public boolean enter() {
    return features.set(VfioFeature.LOW_POWER_ENTRY, MemorySegment.NULL);
  }

  /**
   * Lets the kernel suspend the device once, by SET of LOW_POWER_ENTRY_WITH_WAKEUP. When something
   * wakes a suspended device, even if only a call on its descriptor, the eventfd is signalled and
   * the device stays awake. Its dma-bufs stay revoked until {@link #leave}.
   *
   * @param wakeup the eventfd, which stays the caller's
   * @return false if the device does not have the feature (ENOTTY)
   * @throws KernelException EINVAL: the device is already allowed to suspend. See
   *     drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_pm_entry_with_wakeup
   */
  public boolean enter(EventFd wakeup) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entry = vfio_device_low_power_entry_with_wakeup.allocate(arena);
      vfio_device_low_power_entry_with_wakeup.wakeup_eventfd(entry, wakeup.fd().number());
      return features.set(VfioFeature.LOW_POWER_ENTRY_WITH_WAKEUP, entry);
    }
  }

  /**
   * Keeps the device awake again, by SET of LOW_POWER_EXIT. Its dma-bufs come back if its memory
   * decode is on. See drivers/vfio/pci/vfio_pci_core.c:vfio_pci_runtime_pm_exit.
   *
   * @return false if the device does not have the feature (ENOTTY)
   * @throws KernelException any other errno
   */
  public boolean leave() {
    return features.set(VfioFeature.LOW_POWER_EXIT, MemorySegment.NULL);
  }
}
