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
  /** What takes the answer; {@link #respond} is the way to give it. */
  LongConsumer answer();

  /**
   * Answers.
   *
   * @param result 0, or the length of what was read: it was done; else a negated errno
   */
  default void respond(long result) {
    answer().accept(result);
  }

  /**
   * To bind a device's interface.
   *
   * @param virtualBdf the guest's number of the device
   * @param answer what takes the answer
   */
  record Bind(long virtualBdf, LongConsumer answer) implements GuestRequest {}

  /**
   * To unbind it.
   *
   * @param virtualBdf the guest's number of the device
   * @param answer what takes the answer
   */
  record Unbind(long virtualBdf, LongConsumer answer) implements GuestRequest {}

  /**
   * To check, and where there are no slots for it to map, its private view of MMIO.
   *
   * @param virtualBdf the guest's number of the device
   * @param gpaBase the first guest-physical address
   * @param gpaTop the first one after the range
   * @param physical what the report says is there
   * @param rangeId the id that the report has it with, 16 bits
   * @param answer what takes the answer
   */
  record ValidateMmio(
      long virtualBdf, long gpaBase, long gpaTop, long physical, int rangeId, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To change an interface's state.
   *
   * @param virtualBdf the guest's number of the device
   * @param number of the state that is wanted, which need not exist
   * @param answer what takes the answer
   */
  record SetState(long virtualBdf, long number, LongConsumer answer) implements GuestRequest {
    /** The state that is wanted; empty if it is none that can be asked for. */
    public Optional<TdiState> state() {
      return number < 0 || number > TdiState.RUN.number()
          ? Optional.empty()
          : TdiState.of((int) number);
    }
  }

  /**
   * To read an interface's report. The answer is its length, or a negated errno.
   *
   * @param virtualBdf the guest's number of the device
   * @param gpa of the room in shared memory that it is to be put into
   * @param bytes how long the room is
   * @param answer what takes the answer
   */
  record ReadReport(long virtualBdf, long gpa, long bytes, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To read the measurements of an interface's device. The answer is their length, or a negated
   * errno.
   *
   * @param virtualBdf the guest's number of the device
   * @param gpa of the room in shared memory that they are to be put into; the first 32 bytes of it
   *     are the guest's nonce
   * @param bytes how long the room is
   * @param answer what takes the answer
   */
  record ReadMeasurements(long virtualBdf, long gpa, long bytes, LongConsumer answer)
      implements GuestRequest {}

  /**
   * To make a range of memory private or shared.
   *
   * @param gpa the first guest-physical address
   * @param bytes the length
   * @param isPrivate what it is to be
   * @param answer what takes the answer
   */
  record MapGpa(long gpa, long bytes, boolean isPrivate, LongConsumer answer)
      implements GuestRequest {
    /**
     * As for all, but KVM takes 0, EAGAIN and EINVAL here, none of them negated; with any other the
     * next KVM_RUN is EINVAL and the guest can't go on
     * (arch/x86/kvm/vmx/tdx.c:tdx_complete_vmcall_map_gpa).
     */
    @Override
    public void respond(long result) {
      Errno said = result == Errno.EAGAIN.negated() ? Errno.EAGAIN : Errno.EINVAL;
      answer.accept(result == 0 ? 0 : -said.negated());
    }
  }
}
