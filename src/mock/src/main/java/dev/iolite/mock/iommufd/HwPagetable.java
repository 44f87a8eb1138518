package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice.Translation;
import java.util.Optional;

/** A page table that devices can be attached to (struct iommufd_hw_pagetable). */
abstract class HwPagetable extends ContextObject {
  private final boolean isForPasids;
  private Optional<FaultQueue> faults = Optional.empty();

  /**
   * Makes a page table without an id.
   *
   * @param isForPasids whether IOMMU_HWPT_ALLOC_PASID was set
   */
  HwPagetable(IommufdFile context, boolean isForPasids) {
    super(context);
    this.isForPasids = isForPasids;
  }

  final boolean isForPasids() {
    return isForPasids;
  }

  /** The queue that handles page requests of its devices. */
  final Optional<FaultQueue> faults() {
    return faults;
  }

  /** Gives it a fault queue, which stays as long as it does. */
  final void setFaults(FaultQueue queue) {
    queue.get();
    faults = Optional.of(queue);
  }

  /** hw_pagetable.c:__iommufd_hwpt_destroy. */
  @Override
  void destroy() {
    faults.ifPresent(FaultQueue::put);
  }

  /** How its devices reach memory. */
  abstract Translation translation();

  /** Whether devices behind an IOMMU can use it. */
  abstract boolean isAcceptedBy(Iommu iommu);

  /** The page table that finally leads to memory: itself or its parent (find_hwpt_paging). */
  abstract HwptPaging paging();

  /** Releases a device's reference (iommufd_private.h:iommufd_hw_pagetable_put). */
  void putAttached() {
    put();
  }
}
