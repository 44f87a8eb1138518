package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;

/** A device that was opened through its group (drivers/vfio/group.c:vfio_device_open_file). */
final class VfioGroupDevice extends VfioDeviceFile {
  VfioGroupDevice(Task task, VfioPciDevice device) {
    super(task, device);
  }

  @Override
  public String name() {
    return "anon_inode:[vfio-device]";
  }

  @Override
  boolean isUsable() {
    return true;
  }

  /** device_cdev.c:vfio_df_ioctl_bind_iommufd: this file can't be bound. */
  @Override
  public int ioctl(int request, long argument) {
    if (request == Vfio.VFIO_DEVICE_BIND_IOMMUFD()) {
      UserStructs.bind(task(), argument);
      throw refused(Errno.EINVAL);
    }
    return super.ioctl(request, argument);
  }

  /** vfio_device_fops_release. */
  @Override
  protected void release() {
    device().close();
    device().put();
  }
}
