package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.IommuDevice.Translation;
import dev.iolite.mock.core.Memory;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1_invalidate;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A guest's first-stage table under VT-d, in the format of the processor's tables
 * (drivers/iommu/intel/nested.c). It is walked at each access; nothing is cached.
 */
final class VtdNestedDomain implements NestedDomain {
  private static final int INDEX_BITS = 9;
  private static final int FOUR_LEVEL_BITS = 48;
  private static final int FIVE_LEVEL_BITS = 57;
  private static final long PRESENT = 1;
  private static final long WRITABLE = 1 << 1;
  private static final long LARGE = 1 << 7;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  private final VtdIommu driver;
  private final long flags;
  private final long table;
  private final int addressBits;

  private VtdNestedDomain(VtdIommu driver, MemorySegment config) {
    this.driver = driver;
    flags = iommu_hwpt_vtd_s1.flags(config);
    table = iommu_hwpt_vtd_s1.pgtbl_addr(config);
    addressBits = iommu_hwpt_vtd_s1.addr_width(config);
  }

  /** intel_iommu_domain_alloc_nested, from the check of the caller's struct on. */
  static VtdNestedDomain of(VtdIommu driver, UserData data) {
    long bytes = iommu_hwpt_vtd_s1.sizeof();
    return new VtdNestedDomain(driver, data.read(Iommufd.IOMMU_HWPT_DATA_VTD_S1(), bytes, bytes));
  }

  @Override
  public Iommu driver() {
    return driver;
  }

  /** pasid.c:intel_pasid_setup_nested. */
  @Override
  public boolean isUsable() {
    return (addressBits == FOUR_LEVEL_BITS
            || (addressBits == FIVE_LEVEL_BITS && driver.hasFiveLevels()))
        && ((flags & Iommufd.IOMMU_VTD_S1_SRE()) == 0 || driver.takesSupervisorRequests())
        && ((flags & Iommufd.IOMMU_VTD_S1_EAFE()) == 0 || driver.hasExtendedAccessFlag());
  }

  /** intel_nested_cache_invalidate_user. */
  @Override
  public void invalidate(UserDataArray requests) {
    int type = Iommufd.IOMMU_HWPT_INVALIDATE_DATA_VTD_S1();
    long bytes = iommu_hwpt_vtd_s1_invalidate.sizeof();
    refuseIf(requests.type() != type, Errno.EINVAL);
    for (int i = 0; i < requests.entries(); i++) {
      MemorySegment request = requests.entry(i).read(type, bytes, bytes);
      refuseIf(
          (iommu_hwpt_vtd_s1_invalidate.flags(request) & ~Iommufd.IOMMU_VTD_INV_FLAGS_LEAF()) != 0
              || iommu_hwpt_vtd_s1_invalidate.__reserved(request) != 0,
          Errno.EOPNOTSUPP);
      long address = iommu_hwpt_vtd_s1_invalidate.addr(request);
      boolean isAll = iommu_hwpt_vtd_s1_invalidate.npages(request) == -1;
      refuseIf((address & (Page.BYTES - 1)) != 0 || (isAll && address != 0), Errno.EINVAL);
      requests.setHandled(i + 1);
    }
  }

  @Override
  public Translation translation(Translation parent) {
    return new Translation() {
      @Override
      public void read(long iova, MemorySegment into) {
        for (long done = 0; done < into.byteSize(); ) {
          long count = count(iova + done, into.byteSize() - done);
          parent.read(walk(parent, iova + done, false), into.asSlice(done, count));
          done += count;
        }
      }

      @Override
      public void write(long iova, MemorySegment from) {
        for (long done = 0; done < from.byteSize(); ) {
          long count = count(iova + done, from.byteSize() - done);
          parent.write(walk(parent, iova + done, true), from.asSlice(done, count));
          done += count;
        }
      }
    };
  }

  private static long count(long iova, long wanted) {
    return Math.min(wanted, Page.BYTES - (iova & (Page.BYTES - 1)));
  }

  /** The address in the parent's space that an IOVA leads to. */
  private long walk(Translation parent, long iova, boolean write) {
    int unused = Long.SIZE - addressBits;
    if (iova << unused >> unused != iova) {
      throw new Memory.Unreachable("IOVA 0x%x is not canonical".formatted(iova));
    }
    MemorySegment entry = MemorySegment.ofArray(new long[1]);
    long at = table & ADDRESS;
    int shift = addressBits == FIVE_LEVEL_BITS ? Page.SHIFT + 4 * INDEX_BITS : Page.SHIFT + 27;
    while (true) {
      long index = (iova >>> shift) & ((1 << INDEX_BITS) - 1);
      parent.read(at + index * Long.BYTES, entry);
      long value = entry.get(ValueLayout.JAVA_LONG, 0);
      if ((value & PRESENT) == 0 || (write && (value & WRITABLE) == 0)) {
        throw new Memory.Unreachable("the guest does not map IOVA 0x%x".formatted(iova));
      }
      boolean isLarge = shift > Page.SHIFT && shift < Page.SHIFT + 27 && (value & LARGE) != 0;
      if (shift == Page.SHIFT || isLarge) {
        long offset = (1L << shift) - 1;
        return (value & ADDRESS & ~offset) | (iova & offset);
      }
      at = value & ADDRESS;
      shift -= INDEX_BITS;
    }
  }
}
