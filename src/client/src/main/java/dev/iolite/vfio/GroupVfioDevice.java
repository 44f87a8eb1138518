package dev.iolite.vfio;

import dev.iolite.kernel.Fd;

/**
 * A VFIO device that was opened through its group, by {@link VfioGroup#device}. Its DMA goes
 * through the container of the group.
 *
 * <p>Closing it closes its descriptor; the group stays. Not safe for use by several threads, except
 * for what {@link #region} returns.
 */
public final class GroupVfioDevice extends OpenVfioDevice {
  GroupVfioDevice(Fd fd, String name) {
    super(fd, name);
  }

  @Override
  public void close() {
    fd().close();
  }
}
