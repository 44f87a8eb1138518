package dev.iolite.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a command needs in order to work on this host's kernel. On a model, no command needs
 * anything.
 *
 * @param command the command as it is typed, without {@code iolite}
 * @param user who must run it
 * @param capabilities the capabilities that the process must have
 * @param nodes what the user must be able to open, for reading and writing
 * @param limits the limits of the process that matter
 */
record Privileges(
    String command,
    User user,
    List<Capability> capabilities,
    List<String> nodes,
    List<String> limits) {

  /** Who must run a command. */
  enum User {
    /** Anybody. */
    ANY("any"),
    /** The user whose process holds the interface. */
    HOLDER("the holder's"),
    /** Root: sysfs lets its owner write, which is root. This needs no capability. */
    ROOT("root");

    private final String words;

    User(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  /** A capability, by its name in linux/capability.h. */
  enum Capability {
    /**
     * Reads configuration space beyond its first 64 bytes
     * (drivers/pci/pci-sysfs.c:pci_read_config).
     */
    CAP_SYS_ADMIN("without it, capabilities of a function are not shown"),
    /**
     * Sees the open files of other users' processes (fs/proc/fd.c:proc_fd_permission), so that a
     * device in use is refused.
     */
    CAP_SYS_PTRACE(
        "without it, whether another process uses a device can't be seen, and the device is"
            + " refused"),
    /** Pins memory beyond the memlock limit (drivers/iommu/iommufd/pages.c:iopt_alloc_pages). */
    CAP_IPC_LOCK("without it, the memlock limit must cover the guest's memory");

    private final String without;

    Capability(String without) {
      this.without = without;
    }

    /** What happens without it. */
    String without() {
      return without;
    }

    /** The name in setpriv(1), such as {@code sys_admin}. */
    String setpriv() {
      return name().substring("CAP_".length()).toLowerCase(Locale.ROOT);
    }
  }

  private static final String IOMMUFD = "/dev/iommu";
  private static final String KVM = "/dev/kvm";
  private static final String VFIO = "/dev/vfio/devices/vfioN";
  private static final String SEV = "/dev/sev (--vm snp)";
  private static final String RUN_DIRECTORY = "the run directory";
  private static final String MEMLOCK = "memlock, or CAP_IPC_LOCK";

  /** The privileges for every command, in the order of the documentation. */
  static final List<Privileges> ALL =
      List.of(
          any("doctor", IOMMUFD, KVM, VFIO, RUN_DIRECTORY + " (-o prometheus)"),
          any("pci list"),
          new Privileges(
              "pci show", User.ANY, List.of(Capability.CAP_SYS_ADMIN), List.of(), List.of()),
          root("pci bind", List.of(Capability.CAP_SYS_PTRACE)),
          root("pci unbind", List.of(Capability.CAP_SYS_PTRACE)),
          any("vfio info", IOMMUFD, VFIO),
          any("iommu info", IOMMUFD, VFIO),
          any("kvm info", KVM),
          any("kvm hello", KVM),
          any("tsm list"),
          root("tsm connect", List.of()),
          root("tsm disconnect", List.of()),
          assigning("tdi assign", IOMMUFD, KVM, VFIO, SEV, RUN_DIRECTORY),
          held("tdi show"),
          held("tdi watch"),
          held("tdi bind"),
          held("tdi unbind"),
          new Privileges(
              "tdi recover",
              User.ROOT,
              List.of(Capability.CAP_SYS_PTRACE),
              List.of(IOMMUFD, VFIO, RUN_DIRECTORY),
              List.of()),
          any("tdi states"),
          any("tdi plan"),
          any("tdi report"),
          any("tdi evidence"),
          assigning("passthrough", IOMMUFD, KVM, VFIO),
          new Privileges(
              "vm run",
              User.ANY,
              List.of(Capability.CAP_IPC_LOCK),
              List.of(KVM, IOMMUFD, VFIO),
              List.of(MEMLOCK)),
          new Privileges(
              "record",
              User.ANY,
              List.of(Capability.CAP_SYS_ADMIN),
              List.of(IOMMUFD, KVM, VFIO),
              List.of()),
          any("mock serve"),
          any("mock run"),
          any("uapi"));

  private static Privileges any(String command, String... nodes) {
    return new Privileges(command, User.ANY, List.of(), List.of(nodes), List.of());
  }

  private static Privileges held(String command) {
    return new Privileges(command, User.HOLDER, List.of(), List.of(RUN_DIRECTORY), List.of());
  }

  private static Privileges root(String command, List<Capability> capabilities) {
    return new Privileges(command, User.ROOT, capabilities, List.of(), List.of());
  }

  private static Privileges assigning(String command, String... nodes) {
    return new Privileges(
        command,
        User.ROOT,
        List.of(Capability.CAP_SYS_PTRACE, Capability.CAP_IPC_LOCK),
        List.of(nodes),
        List.of(MEMLOCK));
  }

  /**
   * How root starts the command with these capabilities and no others. Capabilities set at the
   * start apply to all threads of a process; what one thread of a JVM gives up later does not.
   */
  String start() {
    String capabilities =
        this.capabilities.stream().map(c -> ",+" + c.setpriv()).collect(Collectors.joining());
    return "setpriv --no-new-privs --inh-caps=-all --bounding-set=-all" + capabilities;
  }

  /** How root starts the command; empty if root need not run it. */
  Optional<String> rootStart() {
    return user == User.ROOT ? Optional.of(start() + " iolite " + command) : Optional.empty();
  }
}
