package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;

/**
 * An IOMMU group in VFIO's older interface (struct vfio_group). Here, it can only be opened, which
 * prevents its devices from being bound through their own files.
 */
final class VfioGroup {
  private final Task task;
  private final int id;
  private boolean open;
  private int boundDevices;

  VfioGroup(Task task, int id) {
    this.task = task;
    this.id = id;
  }

  /** The name of its node in {@code /dev/vfio}. */
  String name() {
    return Integer.toString(id);
  }

  /** drivers/vfio/group.c:vfio_device_block_group: EBUSY while the group is open. */
  void block() {
    refuseIf(open, Errno.EBUSY);
    boundDevices++;
  }

  /** vfio_device_unblock_group. */
  void unblock() {
    boundDevices--;
  }

  /**
   * drivers/vfio/group.c:vfio_group_fops_open: EBUSY if it is open, or one of its devices is bound.
   */
  OpenFile open() {
    refuseIf(boundDevices > 0 || open, Errno.EBUSY);
    open = true;
    return new OpenFile(task) {
      @Override
      public String name() {
        return "/dev/vfio/" + id;
      }

      @Override
      protected void release() {
        open = false;
      }
    };
  }
}
