package dev.iolite.mock.door;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Which names the model has; all others are the machine's own. */
final class Territory {
  private static final Pattern MODEL =
      Pattern.compile(
          "/dev/(iommu|vfio|kvm|sev|udmabuf)"
              + "|/sys/bus/pci"
              + "|/sys/class/(iommu|vfio-dev|tsm)"
              + "|/sys/devices/(pci[^/]*|virtual/iommu|faux/(tsm-sim|tdx_host)|platform/ccp)"
              + "|/sys/kernel/iommu_groups"
              + "|/sys/module/(kvm|vfio)[^/]*"
              + "|/proc/(iomem|misc|devices)");

  /** The machine's directories that the model has names in. */
  private static final Pattern ABOVE =
      Pattern.compile(
          "/dev|/sys/(bus|class|devices|kernel|module)|/sys/devices/(virtual|faux|platform)");

  private Territory() {}

  /**
   * Whether a path leads to a directory of the machine's that the model has names in.
   *
   * @param path absolute
   */
  static boolean isAbove(String path) {
    return ABOVE.matcher(normal(path)).matches();
  }

  /** A path without its dots and needless slashes. */
  static String normal(String path) {
    List<String> walked = new ArrayList<>();
    for (String name : path.split("/", -1)) {
      walk(walked, name);
    }
    return text(walked);
  }

  private static void walk(List<String> walked, String name) {
    if (name.equals("..")) {
      if (!walked.isEmpty()) {
        walked.removeLast();
      }
    } else if (!name.isEmpty() && !name.equals(".")) {
      walked.add(name);
    }
  }

  private static String text(List<String> walked) {
    return "/" + String.join("/", walked);
  }

  /**
   * Whether a path leads to a name of the model's.
   *
   * @param path absolute
   */
  static boolean has(String path) {
    List<String> walked = new ArrayList<>();
    for (String name : path.split("/", -1)) {
      walk(walked, name);
      if (MODEL.matcher(text(walked)).matches()) {
        return true;
      }
    }
    return false;
  }
}
