package dev.iolite.mock.core;

import java.util.Map;
import java.util.function.Supplier;

/** What a name in the file tree refers to. */
public sealed interface Node {
  /**
   * A directory.
   *
   * @param children supplies its entries at each use: they come and go with devices
   */
  record Directory(Supplier<Map<String, Node>> children) implements Node {}

  /**
   * A symbolic link.
   *
   * @param target what it holds, relative to its directory or absolute
   */
  record Link(Supplier<String> target) implements Node {}

  /**
   * A small file of procfs or sysfs.
   *
   * @param attribute what it shows and takes
   */
  record Text(Attribute attribute) implements Node {}

  /**
   * A device's node, such as {@code /dev/iommu}.
   *
   * @param open makes the open file, with one reference, or refuses
   * @param permissions as chmod(1) takes them
   * @param major the driver's number
   * @param minor the device's number
   */
  record Device(Supplier<OpenFile> open, int permissions, int major, int minor) implements Node {
    /** Makes one that root alone may open, as most are. */
    public Device(Supplier<OpenFile> open, int major, int minor) {
      this(open, 0600, major, minor);
    }
  }

  /**
   * A file of sysfs whose content has a size, such as a device's configuration space.
   *
   * @param open makes the open file, with one reference
   * @param bytes its size
   */
  record Binary(Supplier<OpenFile> open, int bytes) implements Node {}
}
