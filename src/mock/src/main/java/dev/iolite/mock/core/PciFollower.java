package dev.iolite.mock.core;

import java.util.Map;

/** A subsystem that follows the PCI functions that the kernel knows: a TSM. */
public interface PciFollower {
  /** What it adds to the function's directory in sysfs at this time. */
  Map<String, Node> files(TeeFunction function);

  /** The kernel has found the function. */
  void added(TeeFunction function);

  /** The kernel forgets the function; its driver has let it go. */
  void removed(TeeFunction function);
}
