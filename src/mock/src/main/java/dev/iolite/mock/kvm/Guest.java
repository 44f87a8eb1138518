package dev.iolite.mock.kvm;

/** What runs on a vCPU. */
interface Guest {
  /**
   * Takes up what the VM's owner answered to the last exit (complete_userspace_io).
   *
   * @return false if that led to another exit, which is in kvm_run then
   */
  boolean complete();

  /**
   * Runs on for a moment: an instruction, a step.
   *
   * @return false if the guest has left; why is in kvm_run then
   * @throws dev.iolite.mock.core.Refused KVM_RUN's error
   */
  boolean step();
}
