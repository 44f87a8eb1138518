package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Reads structs that callers may know in a shorter or longer version, as VFIO does. */
final class UserStructs {
  private UserStructs() {}

  /**
   * Copies the head of a struct whose first member is argsz.
   *
   * @param bytes how much the caller must provide, which is also how much is copied
   * @throws dev.iolite.mock.core.Refused EFAULT; EINVAL if argsz is less
   */
  static MemorySegment head(Task task, long address, long bytes) {
    MemorySegment head = task.in(address, bytes);
    refuseIf(
        Integer.compareUnsigned(head.get(ValueLayout.JAVA_INT, 0), (int) bytes) < 0, Errno.EINVAL);
    return head;
  }
}
