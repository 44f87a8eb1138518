package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Memory;

/**
 * The operations of a driver's vIOMMU (struct iommufd_viommu_ops). The driver lacks those that are
 * not overridden.
 */
public interface ViommuOps {
  /** Called when it is destroyed. */
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
   * Drops cached entries of the guest's tables (cache_invalidate).
   *
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  default void invalidate(UserDataArray requests) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /**
   * Called when a device joins it (vdevice_init).
   *
   * @throws dev.iolite.mock.core.Refused whatever the driver says; then there is no vDEVICE
   */
  default void initVdevice(IommufdVdevice vdevice) {}

  /** Called when a device that joined leaves it. */
  default void destroyVdevice(IommufdVdevice vdevice) {}

  /** Whether it has queues of this type (get_hw_queue_size). */
  default boolean hasHwQueues(int type) {
    return false;
  }

  /**
   * Lets the hardware use a queue of the guest (hw_queue_init_phys).
   *
   * @param queue identifies it until it is destroyed
   * @param index its index among the vIOMMU's queues
   * @param memory the queue's memory, from its start
   * @throws dev.iolite.mock.core.Refused whatever the driver says
   */
  default void initHwQueue(HwQueue queue, int index, Memory memory) {}

  /** Stops the hardware from using a queue. */
  default void destroyHwQueue(HwQueue queue) {}
}
