package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDeviceGroup;
import java.util.HashMap;
import java.util.Map;

/** The groups of a context that have a bound device (the groups of struct iommufd_ctx). */
final class DeviceGroups {
  private final Map<IommuDeviceGroup, DeviceGroup> groups = new HashMap<>();

  /** The group, with a reference for the caller (device.c:iommufd_get_group). */
  DeviceGroup get(IommuDeviceGroup group) {
    DeviceGroup its = groups.computeIfAbsent(group, DeviceGroup::new);
    its.get();
    return its;
  }

  /** Releases a reference (device.c:iommufd_put_group). */
  void put(DeviceGroup group) {
    if (group.put()) {
      groups.remove(group.group());
    }
  }
}
