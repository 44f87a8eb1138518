package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.UserStruct;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Reads structs that callers may know in a shorter or longer version, as VFIO does. */
final class UserStructs {
  private static final long BIND_LEAST =
      vfio_device_bind_iommufd.out_devid$offset() + Integer.BYTES;

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

  /**
   * The argument of VFIO_DEVICE_BIND_IOMMUFD, as far as it is checked on every file of a device
   * (device_cdev.c:vfio_df_ioctl_bind_iommufd).
   *
   * @throws dev.iolite.mock.core.Refused EFAULT, EINVAL, E2BIG
   */
  static MemorySegment bind(Task task, long address) {
    int userBytes = task.in(address, Integer.BYTES).get(ValueLayout.JAVA_INT, 0);
    refuseIf(Integer.compareUnsigned(userBytes, (int) BIND_LEAST) < 0, Errno.EINVAL);
    MemorySegment bind =
        UserStruct.copy(
            task, address, Integer.toUnsignedLong(userBytes), vfio_device_bind_iommufd.sizeof());
    int flags = vfio_device_bind_iommufd.flags(bind);
    refuseIf(
        vfio_device_bind_iommufd.iommufd(bind) < 0
            || (flags & ~Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN()) != 0,
        Errno.EINVAL);
    return bind;
  }
}
