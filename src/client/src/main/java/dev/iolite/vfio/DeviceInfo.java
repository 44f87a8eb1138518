package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;
import java.util.List;

/**
 * What VFIO_DEVICE_GET_INFO says about a device.
 *
 * @param flags VFIO_DEVICE_FLAGS_* bits
 * @param regions the highest region index plus 1; some in between may not exist
 * @param irqs the highest interrupt index plus 1
 * @param capabilities the capability chain
 */
public record DeviceInfo(int flags, int regions, int irqs, List<Capability> capabilities) {
  /** Copies the list. */
  public DeviceInfo {
    capabilities = List.copyOf(capabilities);
  }

  /** Whether the device can be reset on its own. */
  public boolean canReset() {
    return (flags & Vfio.VFIO_DEVICE_FLAGS_RESET()) != 0;
  }

  /** Whether it is a PCI device. */
  public boolean isPci() {
    return (flags & Vfio.VFIO_DEVICE_FLAGS_PCI()) != 0;
  }
}
