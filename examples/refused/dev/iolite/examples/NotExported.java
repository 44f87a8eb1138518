package dev.iolite.examples;

import dev.iolite.mock.iommufd.IoPageTable;

/** Does not compile: the package belongs to the module, but is not exported. */
final class NotExported {
  private NotExported() {}

  static Class<?> hidden() {
    return IoPageTable.class;
  }
}
