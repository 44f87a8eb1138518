package dev.iolite.kernel;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Looks at the machine for the cause of a failed call. It changes nothing. */
final class Diagnosis {
  private static final Pattern PCI_ADDRESS =
      Pattern.compile("\\b[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]\\b");

  private Diagnosis() {}

  /**
   * What is seen to have caused an error; empty where the errno says all, or nothing is seen. What
   * can't be looked at is left out: the error itself is what the caller must hear of.
   */
  static Optional<Advice> of(
      Kernel kernel, String call, String subject, String detail, Errno errno) {
    SysFs files = new SysFs(kernel);
    try {
      return switch (call) {
        case "open" -> new OpenDiagnosis(files, subject).of(errno);
        case "VFIO_DEVICE_BIND_IOMMUFD" ->
            pciAddress(subject)
                .flatMap(address -> new BindDiagnosis(files, address, detail).of(errno));
        case "mmap", "pread", "pwrite", "VFIO_DEVICE_FEATURE" ->
            pciAddress(subject).flatMap(address -> new BarDiagnosis(files, address).of(errno));
        default -> Optional.empty();
      };
    } catch (KernelException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The address of a PCI function in a text. */
  static Optional<String> pciAddress(String text) {
    Matcher address = PCI_ADDRESS.matcher(text);
    return address.find() ? Optional.of(address.group()) : Optional.empty();
  }
}
