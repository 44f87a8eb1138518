package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_enc_region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory of this process that a guest with SEV or SEV-ES has encrypted, so that it must not move.
 * Made by {@link Vm#encryptedMemory}.
 *
 * <p>Safe for use by several threads.
 */
public final class EncryptedMemory {
  private final Fd vm;

  EncryptedMemory(Fd vm) {
    this.vm = vm;
  }

  /**
   * Pins memory.
   *
   * <p>KVM_MEMORY_ENCRYPT_REG_REGION, since Linux 4.16,
   * arch/x86/kvm/svm/sev.c:sev_mem_enc_register_region.
   *
   * @param address where it is in this process
   * @param bytes how much
   * @throws KernelException ENOTTY: the VM has no such encryption; EINVAL: no such memory; ENOMEM:
   *     RLIMIT_MEMLOCK
   */
  public void register(long address, long bytes) {
    make(KvmIoctls.KVM_MEMORY_ENCRYPT_REG_REGION, address, bytes);
  }

  /**
   * Unpins memory that was registered with the same address and size.
   *
   * <p>KVM_MEMORY_ENCRYPT_UNREG_REGION, since Linux 4.16,
   * arch/x86/kvm/svm/sev.c:sev_mem_enc_unregister_region.
   *
   * @throws KernelException ENOTTY: the VM has no such encryption; EINVAL: it was not registered
   */
  public void unregister(long address, long bytes) {
    make(KvmIoctls.KVM_MEMORY_ENCRYPT_UNREG_REGION, address, bytes);
  }

  private void make(Ioctl call, long address, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = kvm_enc_region.allocate(arena);
      kvm_enc_region.addr(region, address);
      kvm_enc_region.size(region, bytes);
      vm.ioctl(call, region);
    }
  }
}
