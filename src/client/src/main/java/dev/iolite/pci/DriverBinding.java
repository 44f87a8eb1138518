package dev.iolite.pci;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.util.List;
import java.util.Optional;

/**
 * The binding of a function to a driver, and what the function had before. Closing it restores
 * that.
 *
 * <p>The driver is bound through its own {@code bind} file and not through {@code drivers_probe},
 * which reports no error if the probe fails (drivers/base/bus.c:bind_store, drivers_probe_store).
 * Not safe for use by several threads.
 */
public final class DriverBinding implements AutoCloseable {
  private static final String PROBE = "/sys/bus/pci/drivers_probe";

  /** Clears driver_override; sysfs does not pass on an empty write. */
  private static final String NOTHING = "\n";

  private final PciDevice device;
  private final Before before;
  private final String driver;
  private boolean closed;

  private DriverBinding(PciDevice device, Before before, String driver) {
    this.device = device;
    this.before = before;
    this.driver = driver;
  }

  /**
   * What a function had before.
   *
   * @param driver its driver; empty if it had none
   * @param driverOverride its driver_override; empty if that was not set
   */
  public record Before(Optional<String> driver, Optional<String> driverOverride) {}

  /**
   * Gives a function to a driver, or leaves it there if the driver already has it; in that case
   * {@link #close} changes nothing. If anything fails, the earlier state is restored.
   *
   * <p>The rest of the IOMMU group is not checked, so that its functions can be given to VFIO one
   * after another; see {@link PciDevice#requireViableGroup}.
   *
   * @param driver such as {@code vfio-pci}
   * @throws PreconditionException if the function has no IOMMU group, is a bridge or has VFs, the
   *     driver is not loaded, this host or a process uses the function, or its current driver
   *     cannot or does not let go of it; except in the last case, nothing has been changed
   * @throws KernelException what the kernel said about the write to a file in sysfs: EACCES (not
   *     root), EINVAL or ENODEV (the driver does not accept the function), EBUSY (the IOMMU group
   *     belongs to somebody else)
   */
  public static DriverBinding bind(PciDevice device, String driver) {
    Before before = new Before(device.driver(), device.driverOverride());
    DriverBinding binding = new DriverBinding(device, before, driver);
    if (before.driver().equals(Optional.of(driver))) {
      return binding;
    }
    String tried = "bind " + device + " to " + driver;
    device.requireIommu(tried);
    requireDriver(device, driver, tried);
    HostSafety safety = new HostSafety(device, tried);
    before.driver().ifPresentOrElse(safety::requireReleasable, safety::requireFree);
    try {
      override(device, Optional.of(driver));
      release(device, tried);
      attach(device, driver, tried);
    } catch (RuntimeException e) {
      try {
        binding.restore();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
    return binding;
  }

  /**
   * Lets the kernel choose a driver again, for a function that an override gave to a driver
   * earlier.
   *
   * @return the driver that has it now; empty if no driver accepts it
   * @throws PreconditionException if the function is a bridge or has VFs, this host or a process
   *     uses it, or its driver cannot let go of it; except in the last case, nothing has been
   *     changed
   * @throws KernelException what the kernel said about the write to a file in sysfs
   */
  public static Optional<String> giveBack(PciDevice device) {
    String tried = "take " + device + " from its driver";
    requireLettingGo(device, tried);
    release(device, tried);
    override(device, Optional.empty());
    device.sysFs().write(PROBE, device.toString());
    return device.driver();
  }

  /**
   * Restores what a function had before, on behalf of a process that was killed between {@link
   * #bind} and {@link #close}.
   *
   * @throws PreconditionException if a process still uses the function, or it has VFs
   * @throws KernelException what the kernel said about the write to a file in sysfs
   */
  public static void restore(PciDevice device, Before before) {
    new DriverBinding(device, before, "").restore();
  }

  private static void requireDriver(PciDevice device, String driver, String tried) {
    if (!Pci.isDriverName(driver)) {
      throw new PreconditionException(
          tried,
          "no driver is called '" + driver + "'",
          "it is not a name but a path",
          "name one of " + Pci.DRIVERS);
    }
    if (!device.sysFs().exists(Pci.DRIVERS + "/" + driver)) {
      throw new PreconditionException(
          tried,
          "there is no " + Pci.DRIVERS + "/" + driver,
          "the driver's module is not loaded",
          "modprobe " + driver);
    }
  }

  /**
   * Makes sure that {@link #restore(PciDevice, Before)} is possible.
   *
   * @throws PreconditionException if it is not; nothing has been changed
   */
  public static void requireRestorable(PciDevice device, Before before) {
    Optional<String> driver = device.driver();
    if (!driver.equals(before.driver())) {
      String tried = "give " + device + " back to " + before.driver().orElse("no driver");
      before.driver().ifPresent(name -> requireDriver(device, name, tried));
      requireLettingGo(device, tried);
    }
  }

  /** The function. */
  public PciDevice device() {
    return device;
  }

  /** The driver that it was given to. */
  public String driver() {
    return driver;
  }

  /** What it had before. */
  public Before before() {
    return before;
  }

  /** Whether closing this will change anything. */
  public boolean changed() {
    return !before.driver().equals(Optional.of(driver));
  }

  /**
   * Restores what the function had before. Everything that was opened of it must be closed first,
   * by KVM too: the kernel waits for that, and cannot be interrupted.
   *
   * @throws PreconditionException if a process, this one included, still uses the function, or it
   *     has VFs; nothing has been changed, and this can be closed again later
   * @throws KernelException what the kernel said about the write to a file in sysfs
   */
  @Override
  public void close() {
    if (!closed && changed()) {
      restore();
    }
    closed = true;
  }

  /** Restores it, whatever driver the function has now. */
  private void restore() {
    String tried = "give " + device + " back to " + before.driver().orElse("no driver");
    requireRestorable(device, before);
    if (!device.driver().equals(before.driver())) {
      release(device, tried);
    }
    override(device, before.driverOverride());
    if (before.driver().isPresent() && device.driver().isEmpty()) {
      attach(device, before.driver().get(), tried);
    }
  }

  private static void override(PciDevice device, Optional<String> driver) {
    device.sysFs().write(device.path() + "/driver_override", driver.orElse(NOTHING));
  }

  /**
   * Checks before a host driver gets the function again, which is allowed even if the function has
   * VFs.
   */
  private static void requireLettingGo(PciDevice device, String tried) {
    HostSafety safety = new HostSafety(device, tried);
    device.driver().ifPresentOrElse(safety::requireReleasable, safety::requireUnused);
  }

  /** Takes the function from its driver, if it has one. */
  private static void release(PciDevice device, String tried) {
    Optional<String> driver = device.driver();
    if (driver.isEmpty()) {
      return;
    }
    device.sysFs().write(device.path() + "/driver/unbind", device.toString());
    device
        .driver()
        .ifPresent(still -> {
          throw new PreconditionException(
              tried,
              "it was taken from " + driver.get() + ", but " + still + " has it now",
              new Advice(
                  "another program gave it to that driver, or the driver refuses to let go",
                  "dmesg has the driver's reason",
                  Remedy.SHOW_FUNCTION,
                  List.of(device.toString())));
        });
  }

  private static void attach(PciDevice device, String driver, String tried) {
    device.sysFs().write(Pci.DRIVERS + "/" + driver + "/bind", device.toString());
    Optional<String> now = device.driver();
    if (!now.equals(Optional.of(driver))) {
      throw new PreconditionException(
          tried,
          "the kernel took the command, but the driver is " + now.orElse("none"),
          "the driver refused the device",
          "dmesg has the driver's reason");
    }
  }

  @Override
  public String toString() {
    return device + " at " + driver;
  }
}
