package dev.iolite.vfio;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.uapi.vfio.Vfio;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The devices that a reset of the device's slot or bus would reset.
 *
 * @param flags VFIO_PCI_HOT_RESET_FLAG_* bits
 * @param devices every device that it would reset, including this one
 */
public record HotResetInfo(int flags, List<Dependent> devices) {
  /** Copies the list. */
  public HotResetInfo {
    devices = List.copyOf(devices);
  }

  /**
   * Whether all of them belong to the iommufd of the device that was asked, so that the reset may
   * be done.
   */
  public boolean areAllOwned() {
    return (flags & Vfio.VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED()) != 0;
  }

  /**
   * Checks that the reset may be done.
   *
   * @param name the name of the device that was asked
   * @throws PreconditionException if one of the devices is not ours
   */
  public void requireAllOwned(String name) {
    if (!areAllOwned()) {
      String others =
          devices.stream()
              .filter(device -> device.devid() < 0)
              .map(Dependent::bdf)
              .collect(Collectors.joining(", "));
      throw new PreconditionException(
          "reset the slot or bus of " + name,
          "the reset would hit " + others + " too, which this process does not own",
          new Advice(
              "it has another driver, or is in an IOMMU group of its own and not bound to this"
                  + " iommufd",
              "give all functions of the group to vfio-pci",
              Remedy.SHOW_FUNCTION,
              List.of(name)));
    }
  }

  /**
   * A device that would be reset.
   *
   * @param bdf its address, such as {@code 0000:00:03.0}
   * @param devid its id in the iommufd of the device that was asked; 0 if it has none there but has
   *     the same owner; -1 if it has another owner or no VFIO driver
   */
  public record Dependent(String bdf, int devid) {}
}
