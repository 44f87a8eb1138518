package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_info_vtd;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Intel VT-d with the driver of drivers/iommu/intel/iommu.c. It has no vIOMMUs. */
public final class VtdIommu implements Iommu {
  private static final long PAGE_4K = 1L << 12;
  private static final long PAGE_2M = 1L << 21;
  private static final long PAGE_1G = 1L << 30;
  private static final int FIRST_STAGE_FLAGS = Iommufd.IOMMU_HWPT_ALLOC_PASID();
  private static final int SECOND_STAGE_FLAGS =
      Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT()
          | Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING()
          | Iommufd.IOMMU_HWPT_ALLOC_PASID();

  /** The two registers of QEMU's intel-iommu with caching-mode=on. */
  private static final long QEMU_CAP = 0x00d2_008c_2226_0286L;

  private static final long QEMU_ECAP = 0x0000_0000_00f0_0f4aL;

  private final long cap;
  private final long ecap;

  /**
   * Makes an IOMMU with the features that its registers state.
   *
   * @param cap the capability register
   * @param ecap the extended capability register
   */
  public VtdIommu(long cap, long ecap) {
    this.cap = cap;
    this.ecap = ecap;
  }

  /** The IOMMU that QEMU emulates: legacy mode, no nesting, no PASIDs, no dirty tracking. */
  public static VtdIommu likeQemu() {
    return new VtdIommu(QEMU_CAP, QEMU_ECAP);
  }

  /** The same in scalable mode: second stage, nesting, dirty tracking and PASIDs of 20 bits. */
  public static VtdIommu scalable() {
    long scalable =
        bit(46) | bit(45) | bit(43) | bit(40) | bit(26) | bit(48) | (19L << 35) | bit(7);
    return new VtdIommu(QEMU_CAP, QEMU_ECAP | scalable);
  }

  private static long bit(int position) {
    return 1L << position;
  }

  private boolean hasScalableMode() {
    return (ecap & bit(43)) != 0;
  }

  private boolean hasFirstStage() {
    return hasScalableMode() && (ecap & bit(47)) != 0;
  }

  private boolean hasNesting() {
    return hasScalableMode() && (ecap & bit(26)) != 0;
  }

  /** intel_iommu_hw_info. */
  @Override
  public IommuHwInfo hwInfo(IommuDevice device, int requestedType) {
    int type = Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD();
    refuseIf(
        requestedType != Iommufd.IOMMU_HW_INFO_TYPE_DEFAULT() && requestedType != type,
        Errno.EOPNOTSUPP);
    // Made of longs, to align the struct as its fields require.
    MemorySegment info =
        MemorySegment.ofArray(new long[(int) iommu_hw_info_vtd.sizeof() / Long.BYTES]);
    iommu_hw_info_vtd.flags(info, Iommufd.IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17());
    iommu_hw_info_vtd.cap_reg(info, cap);
    iommu_hw_info_vtd.ecap_reg(info, ecap);
    return new IommuHwInfo(type, info);
  }

  @Override
  public boolean enforcesCoherency() {
    return (ecap & bit(7)) != 0;
  }

  /** ssads_supported. */
  @Override
  public boolean tracksDirty() {
    return hasScalableMode() && (ecap & bit(45)) != 0 && (ecap & bit(48)) != 0;
  }

  @Override
  public boolean takesPasids() {
    return hasScalableMode() && (ecap & bit(40)) != 0;
  }

  /** intel_iommu_domain_alloc_paging_flags: the first stage if possible. */
  @Override
  public PagingDomain allocatePaging(IommuDevice device, int flags, Optional<UserData> data) {
    refuseIf(data.isPresent(), Errno.EOPNOTSUPP);
    return (flags & ~FIRST_STAGE_FLAGS) == 0 && hasFirstStage() ? firstStage() : secondStage(flags);
  }

  /** intel_iommu_domain_alloc_first_stage; addresses are sign-extended, as a processor's are. */
  private PagingDomain firstStage() {
    long pages = PAGE_4K | PAGE_2M | ((cap & bit(56)) != 0 ? PAGE_1G : 0);
    int bits = Math.min(addressBits() > 48 && hasFiveLevels() ? 57 : 48, addressBits());
    return new PagingDomain(this, pages, 0, (1L << (bits - 1)) - 1, false, false, false);
  }

  /** intel_iommu_domain_alloc_second_stage. */
  private PagingDomain secondStage(int flags) {
    boolean isParent = (flags & Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT()) != 0;
    boolean isTracked = (flags & Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING()) != 0;
    refuseIf((flags & ~SECOND_STAGE_FLAGS) != 0, Errno.EOPNOTSUPP);
    refuseIf((isParent && !hasNesting()) || (isTracked && !tracksDirty()), Errno.EOPNOTSUPP);
    refuseIf(hasScalableMode() && (ecap & bit(46)) == 0, Errno.EOPNOTSUPP);
    long pages =
        PAGE_4K | ((cap & bit(34)) != 0 ? PAGE_2M : 0) | ((cap & bit(35)) != 0 ? PAGE_1G : 0);
    long last = (1L << secondStageBits()) - 1;
    return new PagingDomain(this, pages, 0, last, isTracked, isParent, isParent);
  }

  private int addressBits() {
    return (int) ((cap >>> 16) & 0x3f) + 1;
  }

  /** compute_vasz_lg2_ss. */
  private int secondStageBits() {
    int levels = (int) (cap >>> 8) & 0x1f;
    int bits = addressBits();
    if (bits > 48 && levels >= 8) {
      return Math.min(57, bits);
    }
    return bits > 39 && levels >= 4 ? Math.min(48, bits) : Math.min(39, bits);
  }

  @Override
  public boolean hasNestedDomains() {
    return true;
  }

  /** intel_iommu_domain_alloc_nested. */
  @Override
  public NestedDomain allocateNested(
      IommuDevice device, PagingDomain parent, int flags, UserData data) {
    refuseIf(!hasNesting() || (flags & ~FIRST_STAGE_FLAGS) != 0, Errno.EOPNOTSUPP);
    refuseIf(data.type() != Iommufd.IOMMU_HWPT_DATA_VTD_S1(), Errno.EOPNOTSUPP);
    return VtdNestedDomain.of(this, data);
  }

  boolean hasFiveLevels() {
    return (cap & bit(60)) != 0;
  }

  boolean takesSupervisorRequests() {
    return (ecap & bit(31)) != 0;
  }

  boolean hasExtendedAccessFlag() {
    return (ecap & bit(34)) != 0;
  }

  /** paging_domain_compatible, for IOMMUs with equal registers. */
  @Override
  public boolean accepts(PagingDomain domain) {
    return domain.driver() instanceof VtdIommu other && other.cap == cap && other.ecap == ecap;
  }
}
