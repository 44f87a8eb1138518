package dev.iolite.mock.kvm;

/** What runs on a vCPU. */
interface Guest {
  /**
   * Completes the last exit with the answer of the VM's owner (complete_userspace_io).
   *
   * @return false if that led to another exit, which is then in kvm_run
   */
  boolean complete();

  /**
   * Runs for a moment: one instruction or step.
   *
   * @return false if the guest has exited; kvm_run then contains the reason
   * @throws dev.iolite.mock.core.Refused KVM_RUN's error
   */
  boolean step();

  /**
   * Gives the guest an interrupt or an exception before its next step.
   *
   * @return false if the guest has exited
   */
  boolean deliver(int vector);
}
