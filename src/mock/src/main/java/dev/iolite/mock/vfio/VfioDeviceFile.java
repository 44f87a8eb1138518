package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.PositionedFile;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.libc.Libc;

/**
 * A file through which a device is used (struct vfio_device_file), however it was opened
 * (drivers/vfio/vfio_main.c:vfio_device_fops). The file has a reference to the device.
 */
abstract class VfioDeviceFile extends PositionedFile {
  private final VfioPciDevice device;
  private final DeviceIoctls ioctls;
  private final Regions regions;

  VfioDeviceFile(Task task, VfioPciDevice device) {
    super(task);
    this.device = device;
    ioctls = new DeviceIoctls(task, device);
    regions = new Regions(task, device.core());
  }

  final VfioPciDevice device() {
    return device;
  }

  /** Whether the device can be used (access_granted). */
  abstract boolean isUsable();

  /** vfio_device_show_fdinfo. */
  @Override
  public final String info() {
    return "vfio-device-syspath: /sys/" + device.pci().path();
  }

  /**
   * The commands that all files of a device have; EINVAL if it can't be used yet. Each wakes it
   * (vfio_device_pm_runtime_get).
   */
  @Override
  public int ioctl(int request, long argument) {
    refuseIf(!isUsable(), Errno.EINVAL);
    device.core().resume();
    try {
      return command(request, argument);
    } finally {
      device.core().mappableBars().update();
    }
  }

  /** A command of a device that can be used. */
  int command(int request, long argument) {
    return ioctls.ioctl(request, argument);
  }

  @Override
  public final long pread(long address, long bytes, long offset) {
    refuseIf(!isUsable(), Errno.EINVAL);
    return bytes == 0 ? 0 : regions.read(address, bytes, offset);
  }

  @Override
  public final long pwrite(long address, long bytes, long offset) {
    refuseIf(!isUsable(), Errno.EINVAL);
    try {
      return bytes == 0 ? 0 : regions.write(address, bytes, offset);
    } finally {
      device.core().mappableBars().update();
    }
  }

  /** vfio_device_fops_mmap. */
  @Override
  public final MappedObject mmap(MapRequest request) {
    refuseIf(!isUsable(), Errno.EINVAL);
    refuseIf((request.flags() & Libc.MAP_SHARED()) == 0, Errno.EINVAL);
    return regions.map(request);
  }
}
