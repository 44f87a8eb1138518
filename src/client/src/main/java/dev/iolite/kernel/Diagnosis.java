package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Looks at the machine for the cause of a failed call. It changes nothing. */
final class Diagnosis {
  private Diagnosis() {}

  /**
   * The observed cause of an error; empty if the errno says everything, or no cause can be seen.
   * Whatever cannot be inspected is left out: it is the error itself that the caller must hear
   * about.
   */
  static Optional<Advice> of(
      Kernel kernel, String call, CallTarget on, MemorySegment argument, Errno errno) {
    SysFs files = new SysFs(kernel);
    try {
      return switch (call) {
        case "open" -> new OpenDiagnosis(files, on.name()).of(errno);
        case "VFIO_DEVICE_BIND_IOMMUFD" ->
            on.device().flatMap(device -> new BindDiagnosis(files, device, argument).of(errno));
        case "mmap", "pread", "pwrite", "VFIO_DEVICE_FEATURE" ->
            on.kind().equals(Optional.of(FdKind.VFIO_DEVICE))
                ? on.device().flatMap(device -> new BarDiagnosis(files, device).of(errno))
                : Optional.empty();
        default -> Optional.empty();
      };
    } catch (KernelException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
