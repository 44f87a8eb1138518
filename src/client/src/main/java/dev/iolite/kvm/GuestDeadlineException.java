package dev.iolite.kvm;

import java.time.Duration;

/** A guest did not stop before the deadline of its run. */
public final class GuestDeadlineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes the run.
   *
   * @param vcpu what ran
   * @param deadline how long it was allowed to
   * @param exits how often it left the guest meanwhile
   * @param where where the guest was when it was stopped
   */
  GuestDeadlineException(String vcpu, Duration deadline, long exits, String where) {
    super(
        "KVM_RUN on "
            + vcpu
            + ": the guest did not stop within "
            + deadline.toMillis()
            + " ms (exits handled: "
            + exits
            + "; stopped at "
            + where
            + "). Usual cause: it loops, or it waits for something that never comes. Next: look at"
            + " the code at that address, or allow more time; the vCPU can be run again");
  }
}
