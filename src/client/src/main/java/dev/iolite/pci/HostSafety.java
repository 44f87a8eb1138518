package dev.iolite.pci;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Checks what must hold before a function is taken from its driver or given to another. The kernel
 * does not check: it takes a device away from its users, or waits for them in a way that cannot be
 * interrupted. This class changes nothing.
 */
final class HostSafety {
  private final PciDevice device;
  private final SysFs sysFs;
  private final String tried;
  private Optional<DeviceUsers> users = Optional.empty();

  /**
   * Prepares the checks.
   *
   * @param tried what they are for, as the beginning of messages
   */
  HostSafety(PciDevice device, String tried) {
    this.device = device;
    this.sysFs = device.sysFs();
    this.tried = tried;
  }

  /**
   * Checks before the function is taken from a driver.
   *
   * @throws PreconditionException if it must not be
   */
  void requireReleasable(String driver) {
    requireEndpoint();
    if (!sysFs.exists(device.path() + "/driver/unbind")) {
      throw new PreconditionException(
          tried,
          driver + " has the device and has no unbind file",
          new Advice(
              "the driver is of the kind that never lets go (suppress_bind_attrs)",
              "boot without the driver, or with the device's ids in vfio-pci.ids=",
              Remedy.LIST_FUNCTIONS));
    }
    requireNoVirtualFunctions();
    requireHostDoesWithout();
    requireUnused();
    requireClosed(driver);
  }

  /**
   * Checks before the function, which has no driver, is given to one. If somebody still has it open
   * through VFIO, another process is in the middle of removing its driver: the kernel waits for the
   * user with the device locked, and a bind would wait for that lock
   * (drivers/base/bus.c:bind_store).
   *
   * @throws PreconditionException if it must not be
   */
  void requireFree() {
    requireAlone();
    requireUnused();
  }

  /**
   * Checks before the function is used at all: opening a PF through VFIO resets it
   * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_enable), and its VFs with it.
   *
   * @throws PreconditionException if others depend on it
   */
  void requireAlone() {
    requireEndpoint();
    requireNoVirtualFunctions();
  }

  /**
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device accepts only ordinary functions.
   */
  private void requireEndpoint() {
    if (device.isBridge()) {
      throw new PreconditionException(
          tried,
          "it is a bridge, and the devices behind it need its driver",
          new Advice(
              "its whole IOMMU group was meant to be given away; a bridge stays as it is, without a"
                  + " driver or with pcieport, and VFIO lends the rest of the group all the same",
              "bind only the devices behind it",
              Remedy.SHOW_FUNCTION,
              List.of(device.toString())));
    }
  }

  /**
   * Drivers either leave the VFs behind, and then vfio-pci refuses the function with EBUSY, or
   * remove them, and wait for the users of each (drivers/pci/iov.c:pci_disable_sriov).
   */
  private void requireNoVirtualFunctions() {
    List<PciDevice> virtual = device.virtualFunctions();
    if (virtual.isEmpty()) {
      return;
    }
    List<String> held = virtual.stream().flatMap(vf -> vfioUsers(vf).stream()).distinct().toList();
    String off = "echo 0 > " + device.path() + "/sriov_numvfs";
    throw new PreconditionException(
        tried,
        "it has VFs: " + virtual.stream().map(this::described).collect(Collectors.joining(", ")),
        new Advice(
            "sriov_numvfs is "
                + virtual.size()
                + "; the kernel resets the VFs with their PF, removes them with the PF's driver and"
                + " waits for those who use them, or refuses the PF to vfio-pci",
            Stream.of(
                    held.stream().map(process -> "end process " + process),
                    device.driver().isEmpty()
                        ? Stream.of("give " + device + " a driver again")
                        : Stream.<String>empty(),
                    Stream.of(off))
                .flatMap(steps -> steps)
                .collect(Collectors.joining("; then ")),
            device.driver().isEmpty() ? Remedy.GIVE_BACK : Remedy.NONE,
            List.of(device.toString())));
  }

  private String described(PciDevice vf) {
    List<String> what = new ArrayList<>();
    what.add(vf.driver().orElse("no driver"));
    vfioUsers(vf).forEach(process -> what.add("open in process " + process));
    vf.hostUses().forEach(use -> what.add(use.what()));
    return vf + " (" + String.join(", ", what) + ")";
  }

  /** The kernel takes a disk away from under a mounted file system without asking. */
  private void requireHostDoesWithout() {
    List<HostUse> uses = device.hostUses();
    if (!uses.isEmpty()) {
      throw new PreconditionException(
          tried,
          uses.stream().map(HostUse::what).collect(Collectors.joining(", ")),
          "this host uses the device itself",
          uses.stream().map(HostUse::next).distinct().collect(Collectors.joining("; ")));
    }
  }

  /**
   * Checks before a host driver is looked for again, and before anything else: the kernel waits for
   * a process that has the function open through VFIO
   * (drivers/vfio/vfio_main.c:vfio_unregister_group_dev).
   *
   * @throws PreconditionException if there is one
   */
  void requireUnused() {
    List<String> processes = vfioUsers(device);
    if (!processes.isEmpty()) {
      throw new PreconditionException(
          tried,
          "the device is in use by process " + String.join(", ", processes),
          "a VMM still runs, or has not closed the device or a mapping of it",
          "stop it, or close what it has open, then try again");
    }
    requireAllSeen();
  }

  /** A process that can't be looked into may have the device open: it is not known to be free. */
  private void requireAllSeen() {
    List<String> unseen = users().unseen();
    if (!unseen.isEmpty()) {
      throw new PreconditionException(
          tried,
          ("whether another process has the device open can't be seen (processes that hide what"
                  + " they have open: %d, such as %s)")
              .formatted(unseen.size(), unseen.getFirst()),
          "this process is not root's, or has no CAP_SYS_PTRACE",
          "run it as root, with CAP_SYS_PTRACE");
    }
  }

  /**
   * Finds users that /proc does not show: a process in another PID namespace, or a VM that refers
   * to a device which its process has closed.
   */
  private void requireClosed(String driver) {
    if (IommuGroup.isVfio(driver) && device.isEnabled()) {
      throw new PreconditionException(
          tried,
          "the device is in use, though no process that can be seen has it open",
          "a VMM in another container has it, or a VM refers to it that its VMM has not closed yet",
          "end that VMM; " + device.enableCount() + " reads as 0 then");
    }
  }

  private List<String> vfioUsers(PciDevice function) {
    return users().of(function.vfioFiles());
  }

  private DeviceUsers users() {
    if (users.isEmpty()) {
      users = Optional.of(new DeviceUsers(sysFs));
    }
    return users.get();
  }
}
