package dev.iolite.mock.kvm;

import java.lang.foreign.MemorySegment;

/**
 * An exit that KVM itself does not know: a proposed UAPI's. Both methods are called under the
 * kernel's lock.
 */
public interface GuestExit {
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
