package dev.iolite.pci;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An IOMMU group: devices that the IOMMU cannot isolate from each other, so they can only be given
 * to one owner together.
 *
 * @param id its number
 * @param members every device in it
 */
public record IommuGroup(int id, List<Member> members) {
  /**
   * Drivers that do no DMA of their own (driver_managed_dma in the kernel's sources), besides the
   * VFIO ones.
   */
  private static final Set<String> NO_DMA = Set.of("pci-stub", "pcieport");

  /** Copies the list. */
  public IommuGroup {
    members = List.copyOf(members);
  }

  /**
   * A device of the group.
   *
   * @param name its name in sysfs, a PCI address for a PCI device
   * @param driver its driver; empty if it has none
   */
  public record Member(String name, Optional<String> driver) {
    /** Whether its driver uses it for DMA, so that the group can't be given to anybody else. */
    public boolean isUsedByHost() {
      return driver.isPresent() && !NO_DMA.contains(driver.get()) && !isVfio(driver.get());
    }
  }

  /** The devices that keep the group from being viable: those that a host driver uses. */
  public List<Member> usedByHost() {
    return members.stream().filter(Member::isUsedByHost).toList();
  }

  /** vfio-pci and its variants for certain devices, such as mlx5_vfio_pci. */
  static boolean isVfio(String driver) {
    return driver.contains("vfio");
  }
}
