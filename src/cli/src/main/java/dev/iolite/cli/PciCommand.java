package dev.iolite.cli;

import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.IommuGroup;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciInfo;
import dev.iolite.pci.PciResource;
import dev.iolite.pci.TsmState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code iolite pci}: the PCI functions of this host and their drivers. */
@Command(
    name = "pci",
    description = "Lists PCI functions, and binds them to vfio-pci and back.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      PciCommand.ListCommand.class,
      PciCommand.ShowCommand.class,
      PciCommand.BindCommand.class,
      PciCommand.UnbindCommand.class
    })
final class PciCommand extends CommandGroup {
  /** {@code iolite pci list}. */
  @Command(name = "list", description = "Lists every PCI function.")
  static final class ListCommand extends IoliteCommand implements Callable<Integer> {
    @Override
    public Integer call() {
      Pci pci = new Pci(kernel());
      Output output = output();
      if (output.isJson()) {
        output.json(pci.each(PciInfo::of));
      } else {
        output.table(
            List.of("BDF", "ID", "GROUP", "DRIVER", "CLASS"),
            pci.each(d ->
                List.of(
                    d.address().toString(),
                    "%04x:%04x".formatted(d.vendor(), d.device()),
                    d.iommuGroup().map(group -> "" + group.id()).orElse("-"),
                    d.driver().orElse("-"),
                    d.className())));
      }
      return ExitCode.OK;
    }
  }

  /** {@code iolite pci show BDF}. */
  @Command(name = "show", description = "Shows everything that sysfs says about a function.")
  static final class ShowCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
    private PciAddress address;

    @Override
    public Integer call() {
      PciInfo info = PciInfo.of(new Pci(kernel()).device(address));
      Output output = output();
      if (output.isJson()) {
        output.json(info);
        return ExitCode.OK;
      }
      output.properties(
          "function", info.address() + "  " + info.id() + "  " + info.className(),
          "driver", info.driver().orElse("none"),
          "driver override", info.driverOverride().orElse("none"),
          "IOMMU group", info.iommuGroup().map(PciCommand::group).orElse("none"),
          "VFIO device", info.vfioCdev().orElse("none"),
          "SR-IOV", sriov(info),
          "header", info.answers() ? header(info.headerType()) : "unknown",
          "command", command(info),
          "reset", info.resetMethods().isEmpty() ? "none" : String.join(" ", info.resetMethods()),
          "NUMA node", info.numaNode().stream().mapToObj(Integer::toString).findFirst().orElse("-"),
          "TSM", info.tsm().map(PciCommand::tsm).orElse("none"));
      if (!info.resources().isEmpty()) {
        output.line("");
        output.table(
            List.of("RESOURCE", "ADDRESS", "BYTES", "KIND"),
            info.resources().stream()
                .map(r ->
                    List.of(
                        r.name(),
                        r.isAssigned() ? "0x" + Long.toHexString(r.start()) : "not assigned",
                        "0x" + Long.toHexString(r.bytes()),
                        kind(r)))
                .toList());
      }
      if (info.resources().stream().anyMatch(r -> !r.isAssigned())) {
        output.line(
            "What is not assigned has no address, so the device can't be used: "
                + PciResource.WHY_UNASSIGNED
                + ". Next: "
                + PciResource.ASSIGN);
      }
      if (info.capabilitiesHidden()) {
        output.line("");
        output.line(
            "Its capabilities are hidden from this user. Next: run as root, with CAP_SYS_ADMIN");
      }
      if (!info.capabilities().isEmpty()) {
        output.line("");
        output.table(
            List.of("CAPABILITY AT", "NAME"),
            info.capabilities().stream()
                .map(c -> List.of("0x%03x".formatted(c.offset()), c.name()))
                .toList());
      }
      return ExitCode.OK;
    }
  }

  /** {@code iolite pci bind BDF}. */
  @Command(
      name = "bind",
      description = {
        "Binds a function to vfio-pci and leaves it there; iolite pci unbind gives it back.",
        "A function that the host or a process uses is left alone."
      })
  static final class BindCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
    private PciAddress address;

    @Override
    public Integer call() {
      PciDevice device = new Pci(kernel()).device(address);
      DriverBinding binding = uncut(() -> DriverBinding.bind(device, "vfio-pci"));
      return changed(output(), device, binding.before().driver());
    }
  }

  /** {@code iolite pci unbind BDF}. */
  @Command(
      name = "unbind",
      description = "Takes a function from its driver and lets the kernel choose a driver again.")
  static final class UnbindCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
    private PciAddress address;

    @Override
    public Integer call() {
      PciDevice device = new Pci(kernel()).device(address);
      Optional<String> before = device.driver();
      uncut(() -> DriverBinding.giveBack(device));
      return changed(output(), device, before);
    }
  }

  private static int changed(Output output, PciDevice device, Optional<String> before) {
    if (output.isJson()) {
      output.json(PciInfo.of(device));
    } else {
      output.line(
          "%s: driver %s, was %s"
              .formatted(device, device.driver().orElse("none"), before.orElse("none")));
      device.vfioCdev().ifPresent(node -> output.line("VFIO device: " + node));
    }
    return ExitCode.OK;
  }

  private static String group(IommuGroup group) {
    List<String> members =
        group.members().stream()
            .map(member -> member.name() + " (" + member.driver().orElse("no driver") + ")")
            .toList();
    return group.id() + ": " + String.join(", ", members);
  }

  private static String command(PciInfo info) {
    if (!info.answers()) {
      return "the device does not answer, every read returns all ones: it has dropped off the bus,"
          + " or has no power";
    }
    String decode = (info.command() & 2) != 0 ? "on" : "off";
    return "0x%04x  memory decode %s, bus master %s"
        .formatted(
            info.command(),
            info.physicalFunction().map(pf -> "as " + pf + " says").orElse(decode),
            (info.command() & 4) != 0 ? "on" : "off");
  }

  private static String header(int type) {
    return switch (type) {
      case ConfigSpace.ORDINARY -> "ordinary function";
      case ConfigSpace.BRIDGE -> "PCI bridge, with 2 BARs at most";
      case ConfigSpace.CARDBUS -> "CardBus bridge, with 1 BAR at most";
      default -> "type %d, which is unknown: capabilities are not looked for".formatted(type);
    };
  }

  private static String sriov(PciInfo info) {
    if (info.physicalFunction().isPresent()) {
      return "VF of " + info.physicalFunction().get();
    }
    return info.virtualFunctions().isEmpty()
        ? "no VFs"
        : "VFs "
            + info.virtualFunctions().stream()
                .map(PciAddress::toString)
                .collect(Collectors.joining(", "));
  }

  private static String tsm(TsmState tsm) {
    return "connected to %s, bound by %s, managed by %s"
        .formatted(
            tsm.connect().orElse("none"), tsm.bound().orElse("none"), tsm.dsm().orElse("itself"));
  }

  private static String kind(PciResource resource) {
    if (resource.isIo()) {
      return "I/O ports";
    }
    return "memory"
        + (resource.is64Bit() ? ", 64-bit" : "")
        + (resource.isPrefetchable() ? ", prefetchable" : "");
  }
}
