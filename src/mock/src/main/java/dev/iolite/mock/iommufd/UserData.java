package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A driver-specific struct that a caller has passed (struct iommu_user_data); not read yet.
 *
 * @param task the process whose memory it is in
 * @param type the type that the caller states
 * @param address where it is
 * @param bytes its length, unsigned
 */
public record UserData(Task task, int type, long address, int bytes) {
  /**
   * Reads it (include/linux/iommu.h:iommu_copy_struct_from_user).
   *
   * @param expectedType the only type that is accepted
   * @param structBytes the size of the driver's struct
   * @param leastBytes the size of the struct's first version
   * @return the struct, padded with zeros; valid until the call waits or ends
   * @throws dev.iolite.mock.core.Refused EINVAL: it has another type, or is too short or too long;
   *     EFAULT
   */
  public MemorySegment read(int expectedType, long structBytes, long leastBytes) {
    refuseIf(type != expectedType, Errno.EINVAL);
    long length = Integer.toUnsignedLong(bytes);
    refuseIf(length < leastBytes || length > structBytes, Errno.EINVAL);
    MemorySegment struct = task.scratch(structBytes);
    task.user().read(address, struct.asSlice(0, length));
    return struct;
  }

  /**
   * Writes a struct that the driver has filled (iommu_copy_struct_to_user).
   *
   * @throws dev.iolite.mock.core.Refused EINVAL: it has another type or is too short; EFAULT
   */
  public void write(int expectedType, MemorySegment struct, long leastBytes) {
    long length = Integer.toUnsignedLong(bytes);
    refuseIf(type != expectedType || length < leastBytes, Errno.EINVAL);
    task.out(address, struct.asSlice(0, Math.min(length, struct.byteSize())));
    if (length > struct.byteSize()) {
      clear(task, address + struct.byteSize(), length - struct.byteSize());
    }
  }

  /**
   * Writes zeros to the caller (clear_user).
   *
   * @throws dev.iolite.mock.core.Refused EFAULT
   */
  static void clear(Task task, long address, long bytes) {
    MemorySegment zeros = task.scratch(Math.min(bytes, ValueLayout.JAVA_LONG.byteSize() << 9));
    for (long done = 0; done < bytes; done += zeros.byteSize()) {
      task.out(address + done, zeros.asSlice(0, Math.min(zeros.byteSize(), bytes - done)));
    }
  }
}
