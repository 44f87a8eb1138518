package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import java.util.List;

/** VFIO as in 7.3; a proposal overrides what it changes. */
public class PlainVfio implements AssignedDeviceCalls {
  /** Makes the VFIO of 7.3. */
  public PlainVfio() {}

  @Override
  public void opened(AssignedDevice device) {}

  @Override
  public void closed(AssignedDevice device) {}

  @Override
  public int ioctl(AssignedDevice device, int request, long argument) {
    throw refused(Errno.ENOTTY);
  }

  @Override
  public DmaBufKind dmaBufKind(int flags) {
    refuseIf(flags != 0, Errno.EINVAL);
    return DmaBufKind.PLAIN;
  }

  @Override
  public void exporting(AssignedDevice device, DmaBufKind kind) {}

  @Override
  public List<BarRange> cover(
      AssignedDevice device, DmaBufKind kind, int bar, List<BarRange> asked) {
    return asked;
  }

  @Override
  public int dmaBufIoctl(int bar, List<BarRange> ranges, int request, long argument) {
    throw refused(Errno.ENOTTY);
  }

  @Override
  public boolean tellsRuns() {
    return false;
  }

  @Override
  public void tellRuns(long address, int bar, DmaBufKind kind, List<BarRange> ranges) {
    throw refused(Errno.ENOTTY);
  }

  @Override
  public void mapping(AssignedDevice device, int bar, BarRange range) {}

  @Override
  public boolean hidesMappings(AssignedDevice device, int bar, BarRange range) {
    return false;
  }

  @Override
  public boolean isPrivate(AssignedDevice device, int bar, BarRange range) {
    return false;
  }

  @Override
  public void suspending(AssignedDevice device) {}

  @Override
  public boolean locksDevices() {
    return false;
  }

  @Override
  public boolean isMute(AssignedDevice device) {
    return false;
  }
}
