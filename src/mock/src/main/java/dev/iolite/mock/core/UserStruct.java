package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.lang.foreign.MemorySegment;

/** A struct that callers may know in a shorter or longer version. */
public final class UserStruct {
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[4096]).asReadOnly();

  private UserStruct() {}

  /**
   * include/linux/uaccess.h:copy_struct_from_user.
   *
   * @param userBytes the size according to the caller
   * @param bytes the size here
   * @return the struct, with zeros where the caller's was shorter
   * @throws Refused EFAULT; E2BIG if there is anything but zeros after its end
   */
  public static MemorySegment copy(Task task, long address, long userBytes, long bytes) {
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
