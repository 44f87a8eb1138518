package dev.iolite.pci;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The TEE security managers of the host and what they are connected to, according to sysfs. {@link
 * PciDevice#tsm} gives a single function's view.
 *
 * <p>Safe for use by several threads.
 */
public final class Tsm {
  private static final String CLASS = "/sys/class/tsm";

  /** The names by which the kernel numbers TSMs (drivers/virt/coco/tsm-core.c:alloc_tsm_dev). */
  private static final Pattern NAME = Pattern.compile("tsm\\d{1,9}");

  private final SysFs sysFs;

  /** Uses the sysfs of this kernel. */
  public Tsm(Kernel kernel) {
    sysFs = new SysFs(kernel);
  }

  /** Whether a TSM can have this name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /**
   * The names of the TSMs, such as {@code tsm0}; empty if there is none, or the kernel was built
   * without CONFIG_TSM. A TSM for guests is included too.
   *
   * @throws KernelException what the kernel said when sysfs was read
   */
  public List<String> names() {
    return sysFs.listIfPresent(CLASS).orElse(List.of());
  }

  /**
   * The only TSM.
   *
   * @throws PreconditionException if there is none, or more than one
   */
  public String only() {
    List<String> names = names();
    if (names.size() == 1) {
      return names.getFirst();
    }
    throw new PreconditionException(
        "find the host's TSM",
        names.isEmpty() ? "there is none in " + CLASS : "there are " + String.join(", ", names),
        names.isEmpty()
            ? new Advice(
                "the platform has no TEE for devices, its driver is not loaded or was refused by"
                    + " the firmware, or the kernel was built without CONFIG_PCI_TSM",
                "dmesg has the driver's reason",
                Remedy.CHECK_HOST)
            : new Advice("several platforms' drivers are loaded", "name one", Remedy.NAME_TSM));
  }

  /**
   * Establishes a secure session between a TSM and a function, by {@code tsm/connect}. The
   * functions that this function manages get their own {@code tsm} directory. See
   * drivers/pci/tsm.c:connect_store, pci_tsm_connect.
   *
   * @param tsm the TSM's name
   * @throws PreconditionException if the function cannot be connected at all
   * @throws KernelException EBUSY: it is already connected; EINVAL: this is not the form of a TSM's
   *     name; ENXIO: there is no such TSM, it is one for guests, or it does not accept the
   *     function; EINTR: the process is being killed; others: what the TSM's driver said
   */
  public void connect(PciDevice device, String tsm) {
    write(device, "connect", tsm);
  }

  /**
   * Ends the session, by {@code tsm/disconnect}. The interfaces of all functions that this function
   * manages are unbound first, without asking the VMs that have them. See
   * drivers/pci/tsm.c:disconnect_store, __pci_tsm_disconnect.
   *
   * @param tsm the name of the TSM that it is connected to
   * @throws PreconditionException if the function cannot be connected at all
   * @throws KernelException ENXIO: not connected; EINVAL: connected to another TSM; EINTR: the
   *     process is being killed
   */
  public void disconnect(PciDevice device, String tsm) {
    write(device, "disconnect", tsm);
  }

  private void write(PciDevice device, String attribute, String tsm) {
    try {
      device.sysFs().write(device.path() + "/tsm/" + attribute, tsm);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT && e.call().equals("open")) {
        throw new PreconditionException(
            attribute + " " + device + " and " + tsm,
            "the function has no tsm/" + attribute,
            names().isEmpty()
                ? new Advice("the host has no TSM", "load its driver", Remedy.CHECK_HOST)
                : new Advice(
                    "only function 0 of a device with IDE or TEE-IO has one",
                    "connect that function",
                    Remedy.SHOW_FUNCTION,
                    List.of(device.toString())));
      }
      throw e.call().equals("write") && e.result() < 0
          ? new KernelException(
              "tsm/" + attribute,
              new CallTarget(e.kind(), device.toString(), Optional.of(device.toString())),
              tsm,
              Math.toIntExact(-e.result()))
          : e;
    }
  }
}
