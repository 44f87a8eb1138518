package dev.iolite.doctor;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The functions of a PCI class that have been given to VFIO.
 *
 * @param classCode base class and subclass, 16 bits
 * @param assignable how many can be assigned as they are: VFIO has a function and its group, the
 *     function answers and has its addresses, and nobody uses it
 * @param assigned how many somebody has open through VFIO
 */
public record FunctionCount(int classCode, int assignable, int assigned) {
  private static final int SUBCLASS_SHIFT = 8;

  /**
   * Counts the functions of each class that the host has, in the order of the classes. Bridges are
   * left out, because they are never assigned. Opens no device.
   *
   * @throws dev.iolite.kernel.KernelException what the kernel said when sysfs was read
   */
  public static List<FunctionCount> of(Kernel kernel) {
    TreeMap<Integer, FunctionCount> counts = new TreeMap<>();
    new Pci(kernel)
        .each(FunctionCount::of).stream()
            .flatMap(Optional::stream)
            .forEach(one -> counts.merge(one.classCode, one, FunctionCount::plus));
    return List.copyOf(counts.values());
  }

  /** Empty for a bridge. */
  private static Optional<FunctionCount> of(PciDevice device) {
    if (device.isBridge()) {
      return Optional.empty();
    }
    boolean isAssigned = device.hasVfioDriver() && device.isEnabled();
    boolean isAssignable = !isAssigned && device.vfioCdev().isPresent() && canBeAssigned(device);
    return Optional.of(
        new FunctionCount(
            device.classCode() >> SUBCLASS_SHIFT, isAssignable ? 1 : 0, isAssigned ? 1 : 0));
  }

  private static boolean canBeAssigned(PciDevice device) {
    try {
      device.requireAssignable();
      return true;
    } catch (PreconditionException _) {
      return false;
    }
  }

  private FunctionCount plus(FunctionCount other) {
    return new FunctionCount(classCode, assignable + other.assignable, assigned + other.assigned);
  }

  /** The class as lspci -n shows it, such as {@code 0108} for NVMe controllers. */
  public String className() {
    return "%04x".formatted(classCode);
  }
}
