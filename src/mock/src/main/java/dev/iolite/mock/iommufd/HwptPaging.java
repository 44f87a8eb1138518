package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.Translation;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import java.util.Optional;
import java.util.OptionalInt;

/** A page table that holds the mappings of an IOAS (struct iommufd_hwpt_paging). */
final class HwptPaging extends HwPagetable {
  private static final int NEST_PARENT = Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT();
  private static final int DIRTY_TRACKING = Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING();
  private static final int FAULT_ID_VALID = Iommufd.IOMMU_HWPT_FAULT_ID_VALID();
  private static final int PASID = Iommufd.IOMMU_HWPT_ALLOC_PASID();

  private final IommufdIoas ioas;
  private final boolean isNestParent;
  private final boolean enforcesCoherency;
  private final PageTable table;
  private boolean isAutomatic;
  private boolean isFilled;

  private HwptPaging(IommufdIoas ioas, IommufdDevice device, int flags, Optional<UserData> data) {
    super(ioas.context(), (flags & PASID) != 0);
    this.ioas = ioas;
    isNestParent = (flags & NEST_PARENT) != 0;
    Iommu iommu = device.iommu();
    enforcesCoherency = iommu.enforcesCoherency();
    table =
        new PageTable(
            iommu.allocatePaging(device.device(), flags & ~FAULT_ID_VALID, data), ioas.table());
  }

  /**
   * Makes a page table that has an id but can't be found yet
   * (hw_pagetable.c:iommufd_hwpt_paging_alloc).
   *
   * @param attach the PASID with which the device is attached at once; empty: the device is not
   *     attached
   * @throws Refused EOPNOTSUPP, or an error of attaching or filling
   */
  static HwptPaging allocate(
      IommufdIoas ioas,
      IommufdDevice device,
      int flags,
      Optional<UserData> data,
      OptionalInt attach) {
    refuseIf(
        (flags & ~(NEST_PARENT | DIRTY_TRACKING | FAULT_ID_VALID | PASID)) != 0, Errno.EOPNOTSUPP);
    refuseIf((flags & DIRTY_TRACKING) != 0 && !device.iommu().tracksDirty(), Errno.EOPNOTSUPP);
    refuseIf((flags & FAULT_ID_VALID) != 0 && (flags & NEST_PARENT) != 0, Errno.EOPNOTSUPP);
    HwptPaging hwpt = new HwptPaging(ioas, device, flags, data);
    ioas.get();
    ioas.context().objects().allocate(hwpt);
    try {
      hwpt.attachAndFill(device, attach);
      return hwpt;
    } catch (Refused e) {
      hwpt.abort();
      throw e;
    }
  }

  private void attachAndFill(IommufdDevice device, OptionalInt attach) {
    if (attach.isPresent()) {
      device.group().attach(this, device, attach.getAsInt());
    }
    try {
      ioas.table().add(table);
    } catch (Refused e) {
      if (attach.isPresent()) {
        device.group().detach(device, attach.getAsInt()).ifPresent(HwPagetable::putAttached);
      }
      throw e;
    }
    isFilled = true;
    ioas.hwpts().add(this);
  }

  /** Undoes {@link #allocate} before it is published. */
  void abort() {
    destroy();
    context().objects().abort(this);
  }

  IommufdIoas ioas() {
    return ioas;
  }

  PageTable table() {
    return table;
  }

  boolean isNestParent() {
    return isNestParent;
  }

  boolean enforcesCoherency() {
    return enforcesCoherency;
  }

  /** Whether attaching a device to an IOAS made it; it then goes away with its last device. */
  boolean isAutomatic() {
    return isAutomatic;
  }

  void setAutomatic() {
    isAutomatic = true;
  }

  @Override
  String kind() {
    return "HWPT";
  }

  /** hw_pagetable.c:iommufd_hwpt_paging_destroy. */
  @Override
  void destroy() {
    if (isFilled) {
      isFilled = false;
      ioas.hwpts().remove(this);
      ioas.table().remove(table);
    }
    super.destroy();
    ioas.put();
  }

  @Override
  Translation translation() {
    return table;
  }

  @Override
  boolean isAcceptedBy(Iommu iommu) {
    return iommu.accepts(table.domain());
  }

  @Override
  HwptPaging paging() {
    return this;
  }

  @Override
  void putAttached() {
    if (isAutomatic) {
      context().objects().putAndTryDestroy(this);
    } else {
      put();
    }
  }
}
