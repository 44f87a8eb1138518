package dev.iolite.cli;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciInfo;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmInfo;
import dev.iolite.pci.TsmState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code iolite tsm}: the host's TEE security managers and the functions they know. */
@Command(
    name = "tsm",
    description = "Lists TEE security managers, and connects them to functions.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TsmCommand.ListCommand.class,
      TsmCommand.ConnectCommand.class,
      TsmCommand.DisconnectCommand.class
    })
final class TsmCommand extends CommandGroup {
  /** {@code iolite tsm list}. */
  @Command(
      name = "list",
      description = "Lists the TSMs, and the functions that they know or could be connected to.")
  static final class ListCommand extends IoliteCommand implements Callable<Integer> {
    @Override
    public Integer call() {
      TsmInfo info = TsmInfo.of(kernel());
      Output output = output();
      if (output.isJson()) {
        output.json(info);
        return ExitCode.OK;
      }
      output.properties("TSMs", info.tsms().isEmpty() ? "none" : String.join(", ", info.tsms()));
      if (!info.functions().isEmpty()) {
        output.line("");
        output.table(
            List.of("BDF", "CONNECTED TO", "BOUND BY", "MANAGED BY"),
            info.functions().stream()
                .map(function ->
                    List.of(
                        function.address().toString(),
                        function.tsm().connect().orElse("-"),
                        function.tsm().bound().orElse("-"),
                        function.tsm().dsm().orElse("-")))
                .toList());
      }
      return ExitCode.OK;
    }
  }

  /** {@code iolite tsm connect BDF}. */
  @Command(
      name = "connect",
      description = "Makes a secure session between a TSM and a function, and leaves it there.")
  static final class ConnectCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:07.0 or 00:07.0")
    private PciAddress address;

    @Option(names = "--tsm", paramLabel = "NAME", description = "the TSM, if there are several")
    private Optional<String> name = Optional.empty();

    @Override
    public Integer call() {
      PciDevice device = new Pci(kernel()).device(address);
      Tsm tsm = new Tsm(kernel());
      String chosen = name.orElseGet(tsm::only);
      uncut(() -> {
        tsm.connect(device, chosen);
        return chosen;
      });
      return changed(output(), device);
    }
  }

  /** {@code iolite tsm disconnect BDF}. */
  @Command(
      name = "disconnect",
      description = {
        "Ends a secure session.",
        "The kernel would take the function's interfaces from VMs, without asking them: while one"
            + " is bound, this is refused."
      })
  static final class DisconnectCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:07.0 or 00:07.0")
    private PciAddress address;

    @Override
    public Integer call() {
      PciDevice device = new Pci(kernel()).device(address);
      String tsm =
          device
              .tsm()
              .flatMap(TsmState::connect)
              .orElseThrow(() ->
                  new PreconditionException(
                      "disconnect " + device,
                      "it is connected to no TSM",
                      "it was never connected, or is disconnected already",
                      "iolite tsm list"));
      requireUnbound(device);
      uncut(() -> {
        new Tsm(kernel()).disconnect(device, tsm);
        return tsm;
      });
      return changed(output(), device);
    }

    /**
     * drivers/pci/tsm.c:__pci_tsm_disconnect unbinds the interfaces of all functions that the
     * device answers for.
     */
    private void requireUnbound(PciDevice device) {
      Optional<String> name = Optional.of(device.toString());
      List<String> bound =
          TsmInfo.of(kernel()).functions().stream()
              .filter(function -> function.tsm().bound().isPresent())
              .filter(function ->
                  function.address().equals(device.address()) || function.tsm().dsm().equals(name))
              .map(function -> function.address().toString())
              .toList();
      if (!bound.isEmpty()) {
        throw new PreconditionException(
            "disconnect " + device,
            "a VM has the interface of " + String.join(", ", bound),
            "the interface is bound, and would be lost with the session",
            "end the VM or unbind the interface (iolite tdi unbind), then try again");
      }
    }
  }

  private static int changed(Output output, PciDevice device) {
    if (output.isJson()) {
      output.json(PciInfo.of(device));
    } else {
      String connection =
          device
              .tsm()
              .flatMap(TsmState::connect)
              .map(tsm -> "connected to " + tsm)
              .orElse("not connected");
      output.line(device + ": " + connection);
    }
    return ExitCode.OK;
  }
}
