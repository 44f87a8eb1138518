package dev.iolite.pci;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import java.util.List;

/** The PCI functions of the machine. */
public final class Pci {
  static final String DEVICES = "/sys/bus/pci/devices";
  static final String DRIVERS = "/sys/bus/pci/drivers";

  private final Kernel kernel;
  private final SysFs sysFs;

  /** Uses the sysfs of this kernel. */
  public Pci(Kernel kernel) {
    this.kernel = kernel;
    this.sysFs = new SysFs(kernel);
  }

  /**
   * All functions, in the order of their addresses. Empty on a machine without PCI.
   *
   * @throws KernelException what the kernel said when sysfs was read
   */
  public List<PciDevice> devices() {
    return sysFs.listIfPresent(DEVICES).orElse(List.of()).stream()
        .map(PciAddress::parse)
        .sorted()
        .map(address -> new PciDevice(kernel, address))
        .toList();
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
          "another address, or the device is not plugged in",
          "iolite pci list");
    }
    return new PciDevice(kernel, address);
  }
}
