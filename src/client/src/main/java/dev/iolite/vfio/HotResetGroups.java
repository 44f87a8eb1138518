package dev.iolite.vfio;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The devices that a reset of the slot or bus of a device would reset, by their IOMMU groups: what
 * the kernel says of a device that was opened through its group.
 *
 * @param devices every device that it would reset, including this one
 */
public record HotResetGroups(List<Dependent> devices) {
  /** Copies the list. */
  public HotResetGroups {
    devices = List.copyOf(devices);
  }

  /** The numbers of the groups, whose files {@link GroupVfioDevice#hotReset} needs. */
  public SortedSet<Integer> groups() {
    SortedSet<Integer> groups = new TreeSet<>();
    devices.forEach(device -> groups.add(device.group()));
    return groups;
  }

  /**
   * A device that would be reset.
   *
   * @param bdf its address, such as {@code 0000:00:03.0}
   * @param group the number of its IOMMU group
   */
  public record Dependent(String bdf, int group) {}
}
