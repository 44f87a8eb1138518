package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;

/** Commands on page tables (hw_pagetable.c). */
final class HwptCommands {
  private static final int FAULT_ID_VALID = Iommufd.IOMMU_HWPT_FAULT_ID_VALID();
  private static final int PASID = Iommufd.IOMMU_HWPT_ALLOC_PASID();
  private static final int NESTED_FLAGS = FAULT_ID_VALID | PASID;
  private static final int MOST_ENTRIES = 1 << 19;

  private HwptCommands() {}

  /** IOMMU_HWPT_ALLOC (iommufd_hwpt_alloc). */
  static void alloc(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_hwpt_alloc.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    boolean hasType = iommu_hwpt_alloc.data_type(cmd) != Iommufd.IOMMU_HWPT_DATA_NONE();
    boolean hasData = iommu_hwpt_alloc.data_len(cmd) != 0;
    refuseIf(hasType != hasData, Errno.EINVAL);
    ObjectTable objects = ucmd.context().objects();
    IommufdDevice device = objects.get(iommu_hwpt_alloc.dev_id(cmd), IommufdDevice.class);
    ContextObject base = objects.find(iommu_hwpt_alloc.pt_id(cmd));
    if (base == null) {
      throw refused(Errno.EINVAL);
    }
    int flags = iommu_hwpt_alloc.flags(cmd);
    var data =
        new UserData(
            ucmd.task(),
            iommu_hwpt_alloc.data_type(cmd),
            iommu_hwpt_alloc.data_uptr(cmd),
            iommu_hwpt_alloc.data_len(cmd));
    switch (base) {
      case IommufdIoas ioas -> {
        Optional<UserData> given = hasData ? Optional.of(data) : Optional.empty();
        HwptPaging hwpt = HwptPaging.allocate(ioas, device, flags, given, OptionalInt.empty());
        finish(ucmd, hwpt, hwpt::abort);
      }
      case HwptPaging parent -> {
        HwptNested hwpt = onParent(parent, device, flags, data);
        finish(ucmd, hwpt, hwpt::abort);
      }
      case IommufdViommu viommu -> {
        HwptNested hwpt = onViommu(viommu, device, flags, data);
        finish(ucmd, hwpt, hwpt::abort);
      }
      default -> throw refused(Errno.EINVAL);
    }
  }

  /** iommufd_hwpt_nested_alloc. */
  private static HwptNested onParent(
      HwptPaging parent, IommufdDevice device, int flags, UserData data) {
    Iommu iommu = device.iommu();
    refuseIf(
        (flags & ~NESTED_FLAGS) != 0 || data.bytes() == 0 || !iommu.hasNestedDomains(),
        Errno.EOPNOTSUPP);
    refuseIf(
        parent.isAutomatic() || !parent.isNestParent() || !parent.isAcceptedBy(iommu),
        Errno.EINVAL);
    NestedDomain domain =
        iommu.allocateNested(
            device.device(), parent.table().domain(), flags & ~FAULT_ID_VALID, data);
    return new HwptNested(parent, parent, domain, (flags & PASID) != 0);
  }

  /** iommufd_viommu_alloc_hwpt_nested. */
  private static HwptNested onViommu(
      IommufdViommu viommu, IommufdDevice device, int flags, UserData data) {
    refuseIf(!viommu.iommu().equals(device.iommu()), Errno.EINVAL);
    refuseIf((flags & ~NESTED_FLAGS) != 0 || data.bytes() == 0, Errno.EOPNOTSUPP);
    NestedDomain domain = viommu.ops().allocateNested(flags & ~FAULT_ID_VALID, data);
    return new HwptNested(viommu, viommu.parent(), domain, (flags & PASID) != 0);
  }

  private static void finish(Ucmd ucmd, HwPagetable hwpt, Runnable abort) {
    MemorySegment cmd = ucmd.argument();
    ObjectTable objects = ucmd.context().objects();
    try {
      if ((iommu_hwpt_alloc.flags(cmd) & FAULT_ID_VALID) != 0) {
        hwpt.setFaults(objects.get(iommu_hwpt_alloc.fault_id(cmd), FaultQueue.class));
      }
      iommu_hwpt_alloc.out_hwpt_id(cmd, hwpt.id());
      ucmd.respond();
    } catch (Refused e) {
      abort.run();
      throw e;
    }
    objects.publish(hwpt);
  }

  /**
   * IOMMU_HWPT_INVALIDATE (iommufd_hwpt_invalidate); reports the number of handled requests even if
   * it fails.
   */
  static void invalidate(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    var requests =
        new UserDataArray(
            ucmd.task(),
            iommu_hwpt_invalidate.data_type(cmd),
            iommu_hwpt_invalidate.data_uptr(cmd),
            iommu_hwpt_invalidate.entry_len(cmd),
            iommu_hwpt_invalidate.entry_num(cmd));
    try {
      invalidate(ucmd, requests);
    } catch (Refused e) {
      tellHandled(ucmd, requests);
      throw e;
    }
    tellHandled(ucmd, requests);
  }

  private static void invalidate(Ucmd ucmd, UserDataArray requests) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_hwpt_invalidate.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    long entryBytes = Integer.toUnsignedLong(iommu_hwpt_invalidate.entry_len(cmd));
    boolean isPossible =
        iommu_hwpt_invalidate.data_uptr(cmd) != 0
            && entryBytes != 0
            && entryBytes <= Page.BYTES
            && Integer.compareUnsigned(requests.entries(), MOST_ENTRIES) <= 0;
    refuseIf(requests.entries() != 0 && !isPossible, Errno.EINVAL);
    ContextObject object = ucmd.context().objects().find(iommu_hwpt_invalidate.hwpt_id(cmd));
    if (object == null) {
      throw refused(Errno.ENOENT);
    }
    switch (object) {
      case HwptNested nested -> nested.domain().invalidate(requests);
      case IommufdViommu viommu -> viommu.ops().invalidate(requests);
      default -> throw refused(Errno.EINVAL);
    }
  }

  private static void tellHandled(Ucmd ucmd, UserDataArray requests) {
    iommu_hwpt_invalidate.entry_num(ucmd.argument(), requests.handled());
    ucmd.respond();
  }
}
