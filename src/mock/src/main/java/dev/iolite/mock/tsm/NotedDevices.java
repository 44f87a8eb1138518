package dev.iolite.mock.tsm;

import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.PlainVfio;

/** VFIO as in 7.3, except that it tells the TSM which devices are open. */
class NotedDevices extends PlainVfio {
  private final AssignedTdis tdis;

  NotedDevices(AssignedTdis tdis) {
    this.tdis = tdis;
  }

  @Override
  public void opened(AssignedDevice device) {
    tdis.opened(device);
  }

  @Override
  public void closed(AssignedDevice device) {
    tdis.closed(device);
  }

  @Override
  public boolean locksDevices() {
    return true;
  }
}
