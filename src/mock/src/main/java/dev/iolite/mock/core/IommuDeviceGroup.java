package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
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
  private final List<String> direct = new ArrayList<>();

  /**
   * Makes a group without devices.
   *
   * @param id its number in {@code /sys/kernel/iommu_groups}
   * @param interruptsIsolated whether a device of the group can't raise another's interrupts
   */
  public IommuDeviceGroup(int id, boolean interruptsIsolated) {
    this.id = id;
    this.interruptsIsolated = interruptsIsolated;
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

  /** Adds a range that a device of the group must always reach one to one (IOMMU_RESV_DIRECT). */
  public void demandOneToOne(long first, long last) {
    direct.add("0x%016x 0x%016x direct".formatted(first, last));
  }

  /** Those ranges, as {@code reserved_regions} shows them (iommu_group_show_resv_regions). */
  public List<String> direct() {
    return direct;
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
    refuseIf(!direct.isEmpty(), Errno.EINVAL);
    claim(claimant);
  }

  /** iommu_device_release_dma_owner, iommu_group_release_dma_owner. */
  public void release() {
    if (--ownerCount == 0) {
      owner = Optional.empty();
    }
  }
}
