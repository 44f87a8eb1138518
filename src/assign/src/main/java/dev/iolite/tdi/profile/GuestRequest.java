package dev.iolite.tdi.profile;

import dev.iolite.kernel.Errno;
import dev.iolite.tsm.TdiState;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * A guest's request to its VMM, decoded from the exit of its vCPU. Nothing in it is trusted. It is
 * valid until the vCPU runs again; so is its answer, which the guest then receives.
 */
public sealed interface GuestRequest {
  /** What receives the answer; use {@link #respond} to give it. */
  LongConsumer answer();

  /**
   * Answers.
   *
   * @param result 0, or the length of what was read, if it was done; else a negated errno
   */
  default void respond(long result) {
    answer().accept(result);
  }

  /**
   * To bind a device's interface.
   *
   * @param virtualBdf the guest's number for the device
   * @param answer what receives the answer
   */
  record Bind(long virtualBdf, LongConsumer answer) implements GuestRequest {}

  /**
   * To unbind it.
   *
   * @param virtualBdf the guest's number for the device
   * @param answer what receives the answer
   */
  record Unbind(long virtualBdf, LongConsumer answer) implements GuestRequest {}

  /**
   * To check its private view of MMIO and, if there are no slots for it, to map it.
   *
   * @param virtualBdf the guest's number for the device
   * @param gpaBase the first guest-physical address
   * @param gpaTop the first address after the range
   * @param physical what the report says is there
   * @param rangeId the id that it has in the report, 16 bits
   * @param answer what receives the answer
   */
  record ValidateMmio(
      long virtualBdf, long gpaBase, long gpaTop, long physical, int rangeId, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To change an interface's state.
   *
   * @param virtualBdf the guest's number for the device
   * @param number the number of the requested state, which need not exist
   * @param answer what receives the answer
   */
  record SetState(long virtualBdf, long number, LongConsumer answer) implements GuestRequest {
    /** The requested state; empty if it cannot be requested. */
    public Optional<TdiState> state() {
      return number < 0 || number > TdiState.RUN.number()
          ? Optional.empty()
          : TdiState.of((int) number);
    }
  }

  /**
   * To read an interface's report. The answer is its length, or a negated errno.
   *
   * @param virtualBdf the guest's number for the device
   * @param gpa the address of the room for it in shared memory
   * @param bytes the length of the room
   * @param answer what receives the answer
   */
  record ReadReport(long virtualBdf, long gpa, long bytes, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To read the measurements of an interface's device. The answer is their length, or a negated
   * errno.
   *
   * @param virtualBdf the guest's number for the device
   * @param gpa the address of the room for them in shared memory; its first 32 bytes are the
   *     guest's nonce
   * @param bytes the length of the room
   * @param answer what receives the answer
   */
  record ReadMeasurements(long virtualBdf, long gpa, long bytes, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To make a range of memory private or shared.
   *
   * @param gpa the first guest-physical address
   * @param bytes the length
   * @param isPrivate whether it is to be private
   * @param answer what receives the answer
   */
  record MapGpa(long gpa, long bytes, boolean isPrivate, LongConsumer answer)
      implements GuestRequest {
    /**
     * Answers as usual, except that here KVM accepts 0, EAGAIN and EINVAL, none of them negated;
     * with any other answer, the next KVM_RUN fails with EINVAL and the guest cannot go on
     * (arch/x86/kvm/vmx/tdx.c:tdx_complete_vmcall_map_gpa).
     */
    @Override
    public void respond(long result) {
      Errno said = result == Errno.EAGAIN.negated() ? Errno.EAGAIN : Errno.EINVAL;
      answer.accept(result == 0 ? 0 : -said.negated());
    }
  }
}
