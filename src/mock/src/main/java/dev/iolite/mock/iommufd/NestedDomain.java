package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.Translation;

/** A guest's page table on top of a host's (struct iommu_domain, of type nested). */
public interface NestedDomain {
  /** The driver that made it: only devices of this driver's IOMMUs can use it. */
  Iommu driver();

  /**
   * How devices that use it reach memory.
   *
   * @param parent the host's page table
   */
  Translation translation(Translation parent);

  /**
   * Drops cached entries of the guest's tables (cache_invalidate_user).
   *
   * @param requests an array of the driver's structs
   * @throws dev.iolite.mock.core.Refused EOPNOTSUPP if the driver has no such operation, which is
   *     needed even for an empty array
   */
  default void invalidate(UserDataArray requests) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /** Whether the hardware accepts it as the caller has described it; if not, attach says EINVAL. */
  default boolean isUsable() {
    return true;
  }

  /** Called when it is no longer used. */
  default void free() {}
}
