package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufKind;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;

/**
 * Slots of the seed flow: a part of a shared dma-buf for shared accesses or, with the flag for it,
 * a part of a private dma-buf for private accesses; accesses of the other kind are memory faults.
 */
final class SeedSlots implements DmaBufSlots {
  private static final int DMABUF = (int) TsmSeed2025.KVM_MEM_DMABUF();
  private static final int PRIVATE_ONLY = (int) TsmSeed2025.KVM_MEM_PRIVATE_ONLY();

  @Override
  public int flag() {
    return DMABUF;
  }

  /** virt/kvm/kvm_main.c:kvm_dmabuf_flags. */
  @Override
  public int flags(boolean hasPrivateMemory) {
    return hasPrivateMemory ? DMABUF | PRIVATE_ONLY : DMABUF;
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_check_extension_generic. */
  @Override
  public int capability(boolean hasPrivateMemory) {
    return flags(hasPrivateMemory);
  }

  /**
   * Checks a slot.
   *
   * @throws dev.iolite.mock.core.Refused ENODEV: the dma-buf is revoked; EINVAL: it has the other
   *     kind or none, or the slot extends beyond its end
   */
  @Override
  public Use check(DmaBufFile file, int flags, long offset, long bytes) {
    refuseIf(file.isRevoked(), Errno.ENODEV);
    boolean isPrivate = (flags & PRIVATE_ONLY) != 0;
    refuseIf(file.kind() != (isPrivate ? DmaBufKind.PRIVATE : DmaBufKind.SHARED), Errno.EINVAL);
    refuseIf(Long.compareUnsigned(offset + bytes, file.bytes()) > 0, Errno.EINVAL);
    return new Use(isPrivate, true, true);
  }
}
