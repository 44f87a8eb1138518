package dev.iolite.mock.core;

import java.util.Map;

/** A subsystem, such as a TSM, that follows the PCI functions that the kernel knows. */
public interface PciFollower {
  /** The files that it currently adds to the function's directory in sysfs. */
  Map<String, Node> files(TeeFunction function);

  /** Called when the kernel has found the function. */
  void added(TeeFunction function);

  /** Called when the kernel forgets the function; its driver has released it. */
  void removed(TeeFunction function);
}
