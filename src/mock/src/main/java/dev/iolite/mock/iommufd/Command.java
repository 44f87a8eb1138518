package dev.iolite.mock.iommufd;

import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemoryLayout;

/**
 * A command of {@code /dev/iommu} (struct iommufd_ioctl_op).
 *
 * @param number the ioctl's number
 * @param bytes the size of its struct
 * @param leastBytes the size of its first version
 * @param body what it does
 */
record Command(int number, long bytes, long leastBytes, Body body) {
  /** What a command does; it fails with a {@link dev.iolite.mock.core.Refused}. */
  @FunctionalInterface
  interface Body {
    void execute(Ucmd ucmd);
  }

  /** A command whose struct, in its first version, ended with this field. */
  static Command of(Ioctl call, String lastField, Body body) {
    MemoryLayout struct = call.argument().orElseThrow();
    var field = MemoryLayout.PathElement.groupElement(lastField);
    long end = struct.byteOffset(field) + struct.select(field).byteSize();
    return new Command((int) call.number(), struct.byteSize(), end, body);
  }
}
