package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import java.util.Optional;

/**
 * How far an invalidation got. What was not handled must be given again, or the guest told of an
 * error.
 *
 * <p>With an error, an Arm SMMUv3 has not necessarily done what it handled: it converts several
 * requests before it issues them together. Those before the faulty one are valid; give them once
 * more without it, which does no harm. See
 * drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c:arm_vsmmu_cache_invalidate.
 *
 * @param handled how many requests the driver got through, from the first: without an error, or of
 *     any other IOMMU, those that were done
 * @param error why the next one was not; empty if all were done
 */
public record InvalidationResult(int handled, Optional<Errno> error) {
  /** Whether all requests were done. */
  public boolean isComplete() {
    return error.isEmpty();
  }
}
