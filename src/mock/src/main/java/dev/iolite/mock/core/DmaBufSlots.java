package dev.iolite.mock.core;

import dev.iolite.kernel.Errno;

/**
 * The memory slots that a kernel has beyond those of 7.3: slots with a dma-buf in place of the
 * guest_memfd.
 */
public interface DmaBufSlots {
  /**
   * What such a slot serves.
   *
   * @param isPrivate whether it serves private accesses; otherwise it serves shared ones
   * @param only whether accesses of the other kind are memory faults, whatever the attributes say;
   *     otherwise the attributes decide, and shared accesses go to the host's address
   * @param revokedForGood whether it stays revoked even if the dma-buf comes back
   */
  record Use(boolean isPrivate, boolean only, boolean revokedForGood) {}

  /** The flag that marks a slot with a dma-buf; 0 if there are no such slots. */
  int flag();

  /**
   * The flags that such a slot may have; it may have no others.
   *
   * @param hasPrivateMemory whether it is a slot of a VM that has private memory
   */
  int flags(boolean hasPrivateMemory);

  /**
   * The value of KVM_CAP_MEMORY_DMABUF.
   *
   * @param hasPrivateMemory as in {@link #flags}
   */
  default int capability(boolean hasPrivateMemory) {
    return 0;
  }

  /**
   * Checks a slot that is about to be made.
   *
   * @param flags its flags
   * @param offset where in the dma-buf it starts, in whole pages
   * @param bytes its length, in whole pages
   * @throws Refused EINVAL: it can't be made; ENODEV: the dma-buf is revoked
   */
  Use check(DmaBufFile file, int flags, long offset, long bytes);

  /** Linux 7.3, which has no such slots. */
  static DmaBufSlots none() {
    return new DmaBufSlots() {
      @Override
      public int flag() {
        return 0;
      }

      @Override
      public int flags(boolean hasPrivateMemory) {
        return 0;
      }

      @Override
      public Use check(DmaBufFile file, int flags, long offset, long bytes) {
        throw Refused.refused(Errno.EINVAL);
      }
    };
  }
}
