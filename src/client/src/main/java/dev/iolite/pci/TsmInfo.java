package dev.iolite.pci;

import dev.iolite.kernel.Kernel;
import java.util.List;
import java.util.Optional;

/**
 * The TSMs of the host, and the functions that they know or could be connected to, at one point in
 * time.
 *
 * @param tsms the TSMs' names
 * @param functions the functions with a {@code tsm} directory, in the order of their addresses
 */
public record TsmInfo(List<String> tsms, List<Function> functions) {
  /**
   * A function with a {@code tsm} directory.
   *
   * @param address where it is
   * @param tsm what that directory says
   */
  public record Function(PciAddress address, TsmState tsm) {
    private static Optional<Function> of(PciDevice device) {
      return device.tsm().map(state -> new Function(device.address(), state));
    }
  }

  /** Copies the lists. */
  public TsmInfo {
    tsms = List.copyOf(tsms);
    functions = List.copyOf(functions);
  }

  /**
   * Reads all of it; changes nothing.
   *
   * @throws dev.iolite.kernel.KernelException what the kernel said when sysfs was read
   */
  public static TsmInfo of(Kernel kernel) {
    return new TsmInfo(
        new Tsm(kernel).names(),
        new Pci(kernel).each(Function::of).stream().flatMap(Optional::stream).toList());
  }
}
