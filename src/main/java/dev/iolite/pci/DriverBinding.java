package dev.iolite.pci;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * That a function has a certain driver, and what it had before. Closing it brings that back.
 *
 * <p>The driver is bound through its own {@code bind} file and not through {@code drivers_probe}:
 * that one is silent when the probe fails (drivers/base/bus.c:bind_store, drivers_probe_store). Not
 * safe for use by several threads.
 */
public final class DriverBinding implements AutoCloseable {
  private static final String PROBE = "/sys/bus/pci/drivers_probe";

  /** Clears driver_override; sysfs does not pass on a write of nothing. */
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
   * Gives a function to a driver, or leaves it there if the driver has it already; in that case
   * {@link #close} changes nothing. If anything fails, what was before is brought back.
   *
   * <p>The rest of the IOMMU group is not looked at, so that its functions can be given to VFIO one
   * after the other; see {@link PciDevice#requireViableGroup}.
   *
   * @param driver such as {@code vfio-pci}
   * @throws PreconditionException if the function has no IOMMU group, the driver is not loaded,
   *     this host uses a disk or network interface of the function, or the driver that has it can
   *     not or does not let go of it
   * @throws KernelException what the kernel said, of the write to a file of sysfs: EACCES (not
   *     root), EINVAL or ENODEV (the driver does not want it), EBUSY (the IOMMU group belongs to
   *     somebody else)
   */
  public static DriverBinding bind(PciDevice device, String driver) {
    Before before = new Before(device.driver(), device.driverOverride());
    DriverBinding binding = new DriverBinding(device, before, driver);
    if (before.driver().equals(Optional.of(driver))) {
      return binding;
    }
    String tried = "bind " + device + " to " + driver;
    device.requireIommu(tried);
    if (!device.sysFs().exists(Pci.DRIVERS + "/" + driver)) {
      throw new PreconditionException(
          tried,
          "there is no " + Pci.DRIVERS + "/" + driver,
          "the driver's module is not loaded",
          "modprobe " + driver);
    }
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
   * Lets the kernel choose a driver again, for a function that was given to one by an override some
   * time ago.
   *
   * @return the driver that has it now; empty if none wants it
   * @throws PreconditionException if this host uses a disk or network interface of the function, a
   *     process still uses it through VFIO, or its driver can't let go of it
   * @throws KernelException what the kernel said, of the write to a file of sysfs
   */
  public static Optional<String> giveBack(PciDevice device) {
    release(device, "take " + device + " from its driver");
    override(device, Optional.empty());
    device.sysFs().write(PROBE, device.toString());
    return device.driver();
  }

  /**
   * Brings back what a function had before, for a process that was ended between {@link #bind} and
   * {@link #close}.
   *
   * @throws PreconditionException if a process still uses the function through VFIO
   * @throws KernelException what the kernel said, of the write to a file of sysfs
   */
  public static void restore(PciDevice device, Before before) {
    new DriverBinding(device, before, "").restore();
  }

  /** The function. */
  public PciDevice device() {
    return device;
  }

  /** The driver it was given to. */
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
   * Brings back what the function had before. All that was opened of it must be closed by then, by
   * KVM too: the kernel waits for that, and can't be interrupted.
   *
   * @throws PreconditionException if a process still uses the function through VFIO, this one
   *     included; nothing is changed then, and it can be closed again later
   * @throws KernelException what the kernel said, of the write to a file of sysfs
   */
  @Override
  public void close() {
    if (!closed && changed()) {
      restore();
    }
    closed = true;
  }

  /** Whatever it has now. */
  private void restore() {
    String tried = "give " + device + " back to " + before.driver().orElse("no driver");
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

  /** Takes the function from its driver, if it has one. */
  private static void release(PciDevice device, String tried) {
    Optional<String> driver = device.driver();
    if (driver.isEmpty()) {
      return;
    }
    String unbind = device.path() + "/driver/unbind";
    if (!device.sysFs().exists(unbind)) {
      throw new PreconditionException(
          tried,
          driver.get() + " has the device and has no unbind file",
          "the driver is of the kind that never lets go (suppress_bind_attrs)",
          "boot without the driver, or with vfio-pci.ids=VENDOR:DEVICE");
    }
    requireHostDoesWithout(device, tried);
    requireUnused(device, tried);
    device.sysFs().write(unbind, device.toString());
    device
        .driver()
        .ifPresent(still -> {
          throw new PreconditionException(
              tried,
              "it was taken from " + driver.get() + ", but " + still + " has it now",
              "another program gave it to that driver, or the driver refuses to let go",
              "dmesg has the driver's reason; iolite pci show " + device);
        });
  }

  /** The kernel takes a disk away from under a mounted file system without a question. */
  private static void requireHostDoesWithout(PciDevice device, String tried) {
    List<HostUse> uses = device.hostUses();
    if (!uses.isEmpty()) {
      throw new PreconditionException(
          tried,
          uses.stream().map(HostUse::what).collect(Collectors.joining(", ")),
          "this host uses the device itself",
          uses.stream().map(HostUse::next).collect(Collectors.joining("; ")));
    }
  }

  /** The kernel waits for the users of a VFIO device, in a way that can't be interrupted. */
  private static void requireUnused(PciDevice device, String tried) {
    Set<String> files = new HashSet<>();
    device.vfioCdev().ifPresent(files::add);
    device
        .sysFs()
        .linkName(device.path() + "/iommu_group")
        .filter(_ -> !files.isEmpty())
        .ifPresent(group -> files.add("/dev/vfio/" + group));
    List<String> users = files.isEmpty() ? List.of() : DeviceUsers.of(device.sysFs(), files);
    if (!users.isEmpty()) {
      throw new PreconditionException(
          tried,
          "the device is in use by process " + String.join(", ", users),
          "a VMM still runs, or has not closed the device or a mapping of it",
          "stop it, or close what it has open, then try again");
    }
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
