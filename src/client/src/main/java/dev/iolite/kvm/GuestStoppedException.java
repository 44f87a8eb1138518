package dev.iolite.kvm;

/** Somebody asked for the run of a guest to be stopped. The guest can be run again. */
public final class GuestStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes the run.
   *
   * @param vcpu what ran
   */
  GuestStoppedException(String vcpu) {
    super("KVM_RUN on " + vcpu + ": the guest was stopped before it was done, as requested");
  }
}
