package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import java.util.Optional;

/** The vendor's part of KVM, which makes a VM confidential or not. */
interface Protection {
  /**
   * KVM_MEMORY_ENCRYPT_OP on the VM.
   *
   * @throws Refused ENOTTY: there is no such command
   */
  void command(long argument);

  /** KVM_MEMORY_ENCRYPT_OP on a vCPU. */
  void command(KvmVcpu vcpu, long argument);

  /** KVM_MEMORY_ENCRYPT_REG_REGION. */
  default void registerRegion(long address, long bytes) {
    throw refused(Errno.ENOTTY);
  }

  /** KVM_MEMORY_ENCRYPT_UNREG_REGION. */
  default void unregisterRegion(long address, long bytes) {
    throw refused(Errno.ENOTTY);
  }

  /**
   * KVM_CAP_VM_COPY_ENC_CONTEXT_FROM.
   *
   * @param source another VM
   */
  default void copyContextFrom(KvmVm source) {
    throw refused(Errno.EINVAL);
  }

  /**
   * KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM.
   *
   * @param source another VM
   */
  default void moveContextFrom(KvmVm source) {
    throw refused(Errno.EINVAL);
  }

  /** The key of what its guests call private, if that is memory of the VM's owner. */
  default Optional<SevKey> memoryKey() {
    return Optional.empty();
  }

  /** Called when the VM is destroyed. */
  default void release() {}

  /** Called when a vCPU is about to be made. */
  void beforeVcpu();

  /** Whether KVM_PRE_FAULT_MEMORY is allowed now. */
  boolean preFaultAllowed();

  /** Whether the host can no longer see this vCPU's registers. */
  boolean hidesRegisters(KvmVcpu vcpu);

  /**
   * Called when a vCPU is about to enter the guest.
   *
   * @return false if it can't, which is an exit with the reason KVM_EXIT_FAIL_ENTRY
   * @throws Refused what KVM_RUN says
   */
  boolean mayEnter(KvmVcpu vcpu);

  /**
   * kvm_gfn_direct_bits: the bit of a page's number that marks it as shared; 0 if there is none.
   */
  long sharedPageBit();

  /** No protection: for a default VM, or one whose memory is private only by software. */
  static Protection none(Errno vcpuCommand) {
    return new Protection() {
      @Override
      public void command(long argument) {
        throw refused(Errno.ENOTTY);
      }

      @Override
      public void command(KvmVcpu vcpu, long argument) {
        throw refused(vcpuCommand);
      }

      @Override
      public void beforeVcpu() {}

      @Override
      public boolean preFaultAllowed() {
        return true;
      }

      @Override
      public boolean hidesRegisters(KvmVcpu vcpu) {
        return false;
      }

      @Override
      public boolean mayEnter(KvmVcpu vcpu) {
        return true;
      }

      @Override
      public long sharedPageBit() {
        return 0;
      }
    };
  }
}
