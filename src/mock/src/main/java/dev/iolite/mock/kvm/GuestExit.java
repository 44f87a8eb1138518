package dev.iolite.mock.kvm;

import java.lang.foreign.MemorySegment;

/**
 * An exit of a proposed UAPI, which KVM itself does not have. All methods are called under the
 * kernel's lock.
 */
public interface GuestExit {
  /**
   * KVM's own answer, if it does not let the guest leave.
   *
   * @param vm its VM
   * @return whether there is one: the guest goes on
   */
  default boolean answeredByKvm(KvmVm vm) {
    return false;
  }

  /**
   * The guest leaves.
   *
   * @param vm its VM
   * @param kvmRun to be filled, the exit_reason as well
   */
  void leave(KvmVm vm, MemorySegment kvmRun);

  /**
   * The guest is entered again.
   *
   * @param kvmRun with what the VM's owner answered
   */
  void answered(KvmVm vm, MemorySegment kvmRun);
}
