package dev.iolite.mock.core;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The devices that share major number 10 (drivers/char/misc.c). */
public enum MiscDevice {
  VFIO("/dev/vfio/vfio", "vfio", 196, 0666),
  KVM("/dev/kvm", "kvm", 232, 0600),
  // Above MISC_DYNAMIC_MINOR, in the order in which they were registered.
  IOMMU("/dev/iommu", "iommu", 256, 0660),
  UDMABUF("/dev/udmabuf", "udmabuf", 257, 0600),
  SEV("/dev/sev", "sev", 258, 0600);

  private static final int MAJOR = 10;

  private final String path;
  private final String label;
  private final int minor;
  private final int permissions;

  MiscDevice(String path, String label, int minor, int permissions) {
    this.path = path;
    this.label = label;
    this.minor = minor;
    this.permissions = permissions;
  }

  /** Its node in /dev. */
  public Node node(Supplier<OpenFile> open) {
    return new Node.Device(open, permissions, MAJOR, minor);
  }

  /** Adds its node to the tree. */
  public void addTo(Tree tree, Supplier<OpenFile> open) {
    tree.add(path, node(open));
  }

  /** What /proc/misc shows of those that a tree has: the last registered first. */
  public static String list(Tree tree) {
    return Arrays.stream(values())
        .filter(device -> tree.has(device.path))
        .sorted(Comparator.reverseOrder())
        .map(device -> "%3d %s".formatted(device.minor, device.label))
        .collect(Collectors.joining("\n"));
  }
}
