package dev.iolite.pci;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The PCI functions of the machine.
 *
 * <p>Safe for use by several threads.
 */
public final class Pci {
  static final String DEVICES = "/sys/bus/pci/devices";
  static final String DRIVERS = "/sys/bus/pci/drivers";

  /** A name in sysfs that cannot lead elsewhere, such as {@code vfio-pci}. */
  private static final Pattern DRIVER = Pattern.compile("(?!\\.\\.?$)[\\w.+() -]{1,64}");

  private final Kernel kernel;
  private final SysFs sysFs;

  /** Uses the sysfs of this kernel. */
  public Pci(Kernel kernel) {
    this.kernel = kernel;
    this.sysFs = new SysFs(kernel);
  }

  /** Whether a driver can have this name; only then is it used in a path. */
  public static boolean isDriverName(String name) {
    return DRIVER.matcher(name).matches();
  }

  /**
   * All functions, in the order of their addresses. Empty on a machine without PCI. Each may
   * disappear at any time; see {@link #each}.
   *
   * @throws KernelException what the kernel said when sysfs was read
   */
  public List<PciDevice> devices() {
    return sysFs.listIfPresent(DEVICES).orElse(List.of()).stream()
        .flatMap(name -> PciAddress.tryParse(name).stream())
        .sorted()
        .map(address -> new PciDevice(kernel, address))
        .toList();
  }

  /**
   * Asks every function, and leaves out those that disappear meanwhile.
   *
   * @param ask asks one of them
   * @throws KernelException what the kernel said about a function that still exists
   */
  public <T> List<T> each(Function<PciDevice, T> ask) {
    List<T> answers = new ArrayList<>();
    for (PciDevice device : devices()) {
      try {
        answers.add(ask.apply(device));
      } catch (KernelException | PreconditionException e) {
        if (sysFs.exists(device.path())) {
          throw e;
        }
      }
    }
    return answers;
  }

  /**
   * One function.
   *
   * @throws PreconditionException if there is none at this address
   */
  public PciDevice device(PciAddress address) {
    if (!sysFs.exists(DEVICES + "/" + address)) {
      throw new PreconditionException(
          "find the PCI device " + address,
          "there is no " + DEVICES + "/" + address,
          new Advice(
              "another address, or the device is not plugged in",
              "choose one that is in " + DEVICES,
              Remedy.LIST_FUNCTIONS));
    }
    return new PciDevice(kernel, address);
  }
}
