package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Memory;

/**
 * The operations of a driver's vIOMMU (struct iommufd_viommu_ops). The driver lacks those that are
 * not overridden.
 */
public interface ViommuOps {
  /** It is destroyed. */
  default void destroy() {}

  /**
   * Makes a guest's page table (alloc_domain_nested).
   *
   * @param flags IOMMU_HWPT_ALLOC_* bits without the fault id's
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  default NestedDomain allocateNested(int flags, UserData data) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /**
   * Drops what is cached of the guest's tables (cache_invalidate).
   *
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  default void invalidate(UserDataArray requests) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /**
   * A device joins it (vdevice_init).
   *
   * @throws dev.iolite.mock.core.Refused whatever the driver says; there is no vDEVICE then
   */
  default void initVdevice(IommufdVdevice vdevice) {}

  /** A device that joined leaves it. */
  default void destroyVdevice(IommufdVdevice vdevice) {}

  /** Whether it has queues of this type (get_hw_queue_size). */
  default boolean hasHwQueues(int type) {
    return false;
  }

  /**
   * The hardware may use a queue of the guest (hw_queue_init_phys).
   *
   * @param queue names it until it is destroyed
   * @param index which of the vIOMMU's queues it is
   * @param memory the queue's memory, from its start
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  default void initHwQueue(HwQueue queue, int index, Memory memory) {}

  /** The hardware may use a queue no longer. */
  default void destroyHwQueue(HwQueue queue) {}
}
