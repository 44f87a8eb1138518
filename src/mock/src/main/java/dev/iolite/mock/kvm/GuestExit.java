package dev.iolite.mock.kvm;

import java.lang.foreign.MemorySegment;

/**
 * An exit of a proposed UAPI, which KVM itself does not have. All methods are called under the
 * kernel's lock.
 */
public interface GuestExit {
  /**
   * Lets KVM answer itself, if it does not let the guest exit.
   *
   * @param vm its VM
   * @return whether it has answered, so that the guest continues
   */
  default boolean answeredByKvm(KvmVm vm) {
    return false;
  }

  /**
   * Makes the guest exit.
   *
   * @param vm its VM
   * @param kvmRun to be filled, including the exit_reason
   */
  void leave(KvmVm vm, MemorySegment kvmRun);

  /**
   * Called when the guest is entered again.
   *
   * @param kvmRun with what the VM's owner answered
   */
  void answered(KvmVm vm, MemorySegment kvmRun);
}
