package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.lang.foreign.MemorySegment;

/**
 * What AMD's secure processor answers to a command.
 *
 * @param status 0, or a code of linux/psp-sev.h:sev_ret_code
 * @param number a handle, a length or a policy, as the command defines it
 * @param data what it wrote for the caller
 */
record SevReply(int status, int number, MemorySegment data) {
  static final int INVALID_GUEST_STATE = 0x02;
  static final int INVALID_LEN = 0x04;
  static final int POLICY_FAILURE = 0x07;
  static final int INVALID_ADDRESS = 0x09;
  static final int BAD_MEASUREMENT = 0x0b;
  static final int ASID_OWNED = 0x0c;
  static final int INVALID_GUEST = 0x10;

  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  static SevReply done() {
    return new SevReply(0, 0, NOTHING);
  }

  static SevReply number(int number) {
    return new SevReply(0, number, NOTHING);
  }

  static SevReply data(int number, byte[] data) {
    return new SevReply(0, number, MemorySegment.ofArray(data));
  }

  static SevReply failed(int status) {
    return new SevReply(status, 0, NOTHING);
  }

  /** A buffer was too small: the processor says how large it must be. */
  static SevReply tooShort(int needed) {
    return new SevReply(INVALID_LEN, needed, NOTHING);
  }

  /** The size that a buffer must have; for a failure of another kind, what was asked with. */
  int lengthOr(int asked) {
    return status == INVALID_LEN && number != 0 ? number : asked;
  }

  boolean isDone() {
    return status == 0;
  }

  /** drivers/crypto/ccp/sev-dev.c:__sev_do_cmd_locked: EIO for whatever the processor refuses. */
  SevReply orEio() {
    refuseIf(status != 0, Errno.EIO);
    return this;
  }
}
