package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import java.util.Optional;

/**
 * An IOMMU with its driver (struct iommu_device with its struct iommu_ops), as far as iommufd uses
 * it. Two IOMMUs are the same only if they are the same object.
 */
public interface Iommu {
  /**
   * The hw_info operation.
   *
   * @param requestedType 0, or the only IOMMU_HW_INFO_TYPE_* that the caller wants
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP: it is of another type
   */
  IommuHwInfo hwInfo(IommuDevice device, int requestedType);

  /** Whether DMA can be made coherent with the processors' caches, which a bind requires. */
  default boolean isCoherent() {
    return true;
  }

  /** Whether it can enforce coherent DMA, whatever the device asks for. */
  boolean enforcesCoherency();

  /** Whether it has IOMMU_CAP_DIRTY_TRACKING. */
  boolean tracksDirty();

  /** Whether a device has IOMMU_CAP_PCI_ATS_SUPPORTED. */
  default boolean hasDeviceTlb(IommuDevice device) {
    return false;
  }

  /**
   * The domain_alloc_paging_flags operation.
   *
   * @param flags IOMMU_HWPT_ALLOC_* bits without the fault id's
   * @param data the caller's struct, if there is one
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP: it can't do that
   */
  PagingDomain allocatePaging(IommuDevice device, int flags, Optional<UserData> data);

  /** Whether it has the domain_alloc_nested operation. */
  default boolean hasNestedDomains() {
    return false;
  }

  /**
   * The domain_alloc_nested operation.
   *
   * @param flags IOMMU_HWPT_ALLOC_* bits without the fault id's
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP, EINVAL, EFAULT
   */
  default NestedDomain allocateNested(
      IommuDevice device, PagingDomain parent, int flags, UserData data) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /** Whether devices behind it can use this page table; EINVAL if not. */
  default boolean accepts(PagingDomain domain) {
    return domain.driver().equals(this);
  }

  /** Whether devices behind it can use this guest's page table; EINVAL if not. */
  default boolean accepts(NestedDomain domain) {
    return domain.driver().equals(this);
  }

  /** Whether page tables can be given to a PASID (the set_dev_pasid operation's first check). */
  default boolean takesPasids() {
    return false;
  }

  /** The driver of its vIOMMUs of a type (get_viommu_size); empty if it has none of that type. */
  default Optional<ViommuDriver> viommus(IommuDevice device, int type) {
    return Optional.empty();
  }
}
