package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Devices that the IOMMU can't tell apart (struct iommu_group).
 *
 * <p>The group's DMA is owned as in drivers/iommu/iommu.c: by a host driver's domain, or by one
 * user with its own token (an iommufd context, or a group of VFIO's).
 */
public final class IommuDeviceGroup {
  private final int id;
  private final boolean interruptsIsolated;
  private final List<IommuDevice> devices = new ArrayList<>();
  private Optional<Object> owner = Optional.empty();
  private int ownerCount;
  private final String type;
  private final List<ReservedRegion> reserved = new ArrayList<>();

  /**
   * Makes a group without devices, whose addresses are translated except those of interrupt
   * messages.
   *
   * @param id its number in {@code /sys/kernel/iommu_groups}
   * @param interruptsIsolated whether a device of the group can't raise another's interrupts
   */
  public IommuDeviceGroup(int id, boolean interruptsIsolated) {
    this(id, interruptsIsolated, "DMA", List.of(ReservedRegion.MESSAGES));
  }

  /**
   * Makes a group without devices.
   *
   * @param id its number in {@code /sys/kernel/iommu_groups}
   * @param interruptsIsolated whether a device of the group can't raise another's interrupts
   * @param type the type of the host's own domain, as sysfs shows it
   * @param reserved its reserved regions
   */
  public IommuDeviceGroup(
      int id, boolean interruptsIsolated, String type, List<ReservedRegion> reserved) {
    this.id = id;
    this.interruptsIsolated = interruptsIsolated;
    this.type = type;
    reserved.forEach(this::reserve);
  }

  /** Its number. */
  public int id() {
    return id;
  }

  /** Whether MSIs are isolated (iommu_group_has_isolated_msi). */
  public boolean interruptsIsolated() {
    return interruptsIsolated;
  }

  /** The devices in it; live. */
  public List<IommuDevice> devices() {
    return devices;
  }

  /** The type of the host's own domain, such as {@code DMA} (iommu_group_show_type). */
  public String type() {
    return type;
  }

  /**
   * Adds a reserved region; they are in the order of their addresses (iommu_insert_resv_region).
   */
  public void reserve(ReservedRegion region) {
    reserved.add(region);
    reserved.sort(
        Comparator.comparing(ReservedRegion::first, Long::compareUnsigned)
            .thenComparing(ReservedRegion::kind));
  }

  /** Its reserved regions, in the order of their addresses. */
  public List<ReservedRegion> reserved() {
    return reserved;
  }

  /** Whether a device of the group must always reach a range one to one (IOMMU_RESV_DIRECT). */
  public boolean demandsOneToOne() {
    return reserved.stream().anyMatch(region -> region.kind() == ReservedRegion.Kind.DIRECT);
  }

  /** The owner of its DMA; empty if the host owns it. */
  public Optional<Object> owner() {
    return owner;
  }

  /**
   * iommu_device_claim_dma_owner, as far as it depends on owners.
   *
   * @return whether the claimant now owns the DMA; it may claim it several times
   */
  public boolean claim(Object claimant) {
    if (owner.isPresent() && !owner.get().equals(claimant)) {
      return false;
    }
    owner = Optional.of(claimant);
    ownerCount++;
    return true;
  }

  /** iommu_group_dma_owner_claimed: whether a driver of the host or a user has its DMA. */
  public boolean isClaimed() {
    return ownerCount > 0;
  }

  /**
   * iommu_group_claim_dma_owner: claims the DMA for one claimant, once.
   *
   * @throws Refused EPERM: somebody has it; EINVAL: a device of the group must be reached one to
   *     one
   */
  public void claimOnce(Object claimant) {
    refuseIf(isClaimed(), Errno.EPERM);
    refuseIf(demandsOneToOne(), Errno.EINVAL);
    claim(claimant);
  }

  /** iommu_device_release_dma_owner, iommu_group_release_dma_owner. */
  public void release() {
    if (--ownerCount == 0) {
      owner = Optional.empty();
    }
  }
}
