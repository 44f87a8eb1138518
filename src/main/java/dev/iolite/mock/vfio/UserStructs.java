package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** How VFIO takes structs that callers may know a shorter or longer version of. */
final class UserStructs {
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[4096]).asReadOnly();

  private UserStructs() {}

  /**
   * Copies the head of a struct whose first member is argsz.
   *
   * @param bytes how much the caller must give, and how much is copied
   * @throws dev.iolite.mock.core.Refused EFAULT; EINVAL if argsz is less
   */
  static MemorySegment head(Task task, long address, long bytes) {
    MemorySegment head = task.in(address, bytes);
    refuseIf(
        Integer.compareUnsigned(head.get(ValueLayout.JAVA_INT, 0), (int) bytes) < 0, Errno.EINVAL);
    return head;
  }

  /**
   * copy_struct_from_user.
   *
   * @param userBytes how large the caller says it is
   * @param bytes how large it is here
   * @throws dev.iolite.mock.core.Refused EFAULT; E2BIG if there is more than zeros behind its end
   */
  static MemorySegment copy(Task task, long address, long userBytes, long bytes) {
    for (long at = bytes; at < userBytes; ) {
      long part = Math.min(userBytes - at, ZEROS.byteSize());
      MemorySegment rest = MemorySegment.ofArray(new byte[(int) part]);
      task.user().read(address + at, rest);
      refuseIf(rest.mismatch(ZEROS.asSlice(0, part)) >= 0, Errno.E2BIG);
      at += part;
    }
    MemorySegment struct = task.scratch(bytes);
    task.user().read(address, struct.asSlice(0, Math.min(bytes, userBytes)));
    return struct;
  }
}
