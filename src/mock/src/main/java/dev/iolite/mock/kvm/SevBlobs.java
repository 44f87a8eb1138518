package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the secure processor's commands bring along, in memory of the VM's owner. */
final class SevBlobs {
  /** include/linux/psp-sev.h: SEV_FW_BLOB_MAX_SIZE. */
  static final int MOST_BYTES = 0x4000;

  /** The most that kzalloc gives in one piece. */
  private static final int MOST_ALLOCATED = 4 << 20;

  private SevBlobs() {}

  /** drivers/crypto/ccp/sev-dev.c:psp_copy_user_blob. */
  static byte[] copy(Task task, long address, int bytes) {
    refuseIf(address == 0 || bytes == 0, Errno.EINVAL);
    requireSize(bytes);
    return task.in(address, bytes).toArray(ValueLayout.JAVA_BYTE);
  }

  static void requireSize(int bytes) {
    refuseIf(Integer.compareUnsigned(bytes, MOST_BYTES) > 0, Errno.EINVAL);
  }

  /** kzalloc of as much as the VM's owner has room for. */
  static void requireAllocation(int bytes) {
    refuseIf(Integer.compareUnsigned(bytes, MOST_ALLOCATED) > 0, Errno.ENOMEM);
  }

  /** Gives the VM's owner what the processor wrote, and zeros up to the owner's size. */
  static void give(Task task, long address, MemorySegment data, int bytes) {
    MemorySegment blob = task.scratch(Integer.toUnsignedLong(bytes));
    long given = Math.min(blob.byteSize(), data.byteSize());
    blob.asSlice(0, given).copyFrom(data.asSlice(0, given));
    task.out(address, blob);
  }
}
