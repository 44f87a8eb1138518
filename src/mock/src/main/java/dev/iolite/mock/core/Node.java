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
   * A file that a driver opens, such as {@code /dev/iommu} or a device's config space.
   *
   * @param open makes the open file, with one reference, or refuses
   * @param permissions as chmod(1) takes them
   */
  record Device(Supplier<OpenFile> open, int permissions) implements Node {
    /** Makes one that root alone may open, as most are. */
    public Device(Supplier<OpenFile> open) {
      this(open, 0600);
    }

    /** Makes one that everybody may open. */
    public static Device forAll(Supplier<OpenFile> open) {
      return new Device(open, 0666);
    }
  }
}
