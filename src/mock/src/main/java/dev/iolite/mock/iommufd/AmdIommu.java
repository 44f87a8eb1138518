package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_info_amd;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * AMD-Vi with the driver of drivers/iommu/amd/iommu.c, as on a host with SEV-SNP: version 1 page
 * tables of six levels, and no PASIDs. It can be a nest parent, but makes no nested tables.
 */
public final class AmdIommu implements Iommu {
  private static final long GUEST_TRANSLATION = 1L << 4;
  private static final long GUEST_IO = 1L << 48;
  private static final long DIRTY_SUPPORTED = 1L << 52;

  /** GCR3TRPMode, in the second register. */
  private static final long GUEST_TABLE_BY_GUEST_ADDRESS = 1L << 3;

  /** SNPSup, HDSup, HASup and IASup, and what a nest parent needs. */
  private static final long EFR =
      1L << 63 | DIRTY_SUPPORTED | 1L << 49 | GUEST_IO | 1L << 6 | GUEST_TRANSLATION;

  private static final int DIRTY_TRACKING = Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING();
  private static final int NEST_PARENT = Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT();

  /** AMD_IOMMU_PGSIZES: version 1 tables have all powers of two except 512 GiB. */
  private static final long PAGE_SIZES = ((1L << 52) - (1L << 12)) ^ (1L << 39);

  private static final long LAST = (1L << 48) - 1;

  private final long efr;
  private final long efr2;

  /** The IOMMU of a usual host with SEV-SNP. */
  public AmdIommu() {
    this(EFR, GUEST_TABLE_BY_GUEST_ADDRESS);
  }

  /**
   * Makes an IOMMU with the features that its registers state.
   *
   * @param efr the extended feature register
   * @param efr2 the second extended feature register
   */
  public AmdIommu(long efr, long efr2) {
    this.efr = efr;
    this.efr2 = efr2;
  }

  /** drivers/iommu/amd/iommufd.c:amd_iommufd_hw_info. */
  @Override
  public IommuHwInfo hwInfo(IommuDevice device, int requestedType) {
    int type = Iommufd.IOMMU_HW_INFO_TYPE_AMD();
    refuseIf(
        requestedType != Iommufd.IOMMU_HW_INFO_TYPE_DEFAULT() && requestedType != type,
        Errno.EOPNOTSUPP);
    // Made of longs, to align the struct as its fields require.
    MemorySegment info =
        MemorySegment.ofArray(new long[(int) iommu_hw_info_amd.sizeof() / Long.BYTES]);
    iommu_hw_info_amd.efr(info, efr);
    iommu_hw_info_amd.efr2(info, efr2);
    return new IommuHwInfo(type, info);
  }

  @Override
  public boolean enforcesCoherency() {
    return true;
  }

  /** amd_iommu_hd_support. */
  @Override
  public boolean tracksDirty() {
    return (efr & DIRTY_SUPPORTED) != 0;
  }

  /** is_nest_parent_supported. */
  private boolean hasNestParents() {
    long needed = GUEST_TRANSLATION | GUEST_IO;
    return (efr & needed) == needed && (efr2 & GUEST_TABLE_BY_GUEST_ADDRESS) != 0;
  }

  /** amd_iommu_domain_alloc_paging_flags. */
  @Override
  public PagingDomain allocatePaging(IommuDevice device, int flags, Optional<UserData> data) {
    refuseIf(data.isPresent() || (flags & ~(DIRTY_TRACKING | NEST_PARENT)) != 0, Errno.EOPNOTSUPP);
    refuseIf((flags & DIRTY_TRACKING) != 0 && !tracksDirty(), Errno.EOPNOTSUPP);
    refuseIf((flags & NEST_PARENT) != 0 && !hasNestParents(), Errno.EOPNOTSUPP);
    return new PagingDomain(
        this,
        PAGE_SIZES,
        0,
        LAST,
        (flags & DIRTY_TRACKING) != 0,
        (flags & NEST_PARENT) != 0,
        false);
  }

  /** drivers/iommu/amd/iommufd.c:amd_iommufd_get_viommu_size: it does not look at the type. */
  @Override
  public Optional<ViommuDriver> viommus(IommuDevice device, int type) {
    return Optional.of((_, _, _) -> new ViommuOps() {});
  }
}
