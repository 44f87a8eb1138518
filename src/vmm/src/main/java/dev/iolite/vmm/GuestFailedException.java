package dev.iolite.vmm;

import dev.iolite.kvm.Exit;

/** A guest's processor came to an end that no guest should come to. */
public final class GuestFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes it.
   *
   * @param vcpu which processor
   * @param exit what KVM said
   * @param where where the guest was
   */
  GuestFailedException(String vcpu, Exit exit, String where) {
    super(
        "KVM_RUN on "
            + vcpu
            + ": the guest can't go on ("
            + exit
            + " at "
            + where
            + "). Usual cause: an instruction that this KVM does not emulate, or a mode that the"
            + " processor does not have. Next: look at the guest's console and at the host's kernel"
            + " log");
  }
}
