package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.Translation;

/** A guest's page table on top of a host's (struct iommu_domain, of type nested). */
public interface NestedDomain {
  /** Whose it is: only devices of this driver's IOMMUs can use it. */
  Iommu driver();

  /**
   * How devices that use it reach memory.
   *
   * @param parent the host's page table
   */
  Translation translation(Translation parent);

  /**
   * Drops what is cached of the guest's tables (cache_invalidate_user).
   *
   * @param requests an array of the driver's structs
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP if the driver has no such operation, which is
   *     asked for even with an empty array
   */
  default void invalidate(UserDataArray requests) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /** Whether the hardware takes it as the caller has described it; EINVAL at attach if not. */
  default boolean isUsable() {
    return true;
  }

  /** It is used no longer. */
  default void free() {}
}
