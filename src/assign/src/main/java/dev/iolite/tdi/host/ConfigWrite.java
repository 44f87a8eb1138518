package dev.iolite.tdi.host;

import java.util.Map;

/** A guest's write to its device's config space, and what that changes about the device's BARs. */
public final class ConfigWrite {
  private final AssignedInterface device;
  private final int offset;
  private final int bytes;
  private final int value;
  private final boolean answered;
  private final boolean wasMaster;
  private final Map<Integer, Long> places;

  /** Records the state before the write. */
  public ConfigWrite(AssignedInterface device, int offset, int bytes, int value) {
    this.device = device;
    this.offset = offset;
    this.bytes = bytes;
    this.value = value;
    answered = device.reach().answers();
    wasMaster = device.vfio().config().hasBusMaster();
    places = device.places().addresses();
  }

  /** Whether the kernel will revoke the mapped parts of the BARs. */
  public boolean revokes() {
    return answered && device.reach().revokes(offset, bytes, value);
  }

  /** Makes the write. */
  public void make() {
    device.writeConfig(offset, bytes, value);
  }

  /** Whether the BARs are now somewhere else, gone, or back. */
  public boolean hasMoved() {
    boolean answers = device.reach().answers();
    return answers != answered || (answers && !places.equals(device.places().addresses()));
  }

  /**
   * Whether the write has switched bus mastering off, so that the device can no longer make DMA.
   */
  public boolean hasCutOff() {
    return wasMaster && !device.vfio().config().hasBusMaster();
  }
}
