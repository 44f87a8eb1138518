package dev.iolite.mock.pci;

/**
 * A node in {@code /dev} that a host driver makes for a device, and how sysfs shows it.
 *
 * @param directory its directory, below that of the device, such as {@code drm/card0}
 * @param name its name in {@code /dev}, such as {@code dri/card0}
 * @param major its driver's number
 * @param minor its own number
 * @param block whether it is a block device
 * @param awaited whether the driver waits for those who have it open when the device is taken away
 */
record HostNode(
    String directory, String name, int major, int minor, boolean block, boolean awaited) {
  /** Its number as sysfs shows it, such as {@code 226:0}. */
  String number() {
    return major + ":" + minor;
  }
}
