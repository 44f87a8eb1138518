package dev.iolite.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code iolite tdi}: device interfaces for confidential guests. */
@Command(
    name = "tdi",
    description =
        "Device interfaces (TDIs) for confidential guests: plan, assign, bind, inspect, recover.",
    synopsisSubcommandLabel = "COMMAND")
final class TdiCommand extends CommandGroup {
  @Override
  Map<String, Class<?>> subcommands() {
    Map<String, Class<?>> commands = new LinkedHashMap<>();
    commands.put("plan", TdiPlanCommand.class);
    commands.put("assign", TdiAssignCommand.class);
    commands.put("show", TdiShowCommand.class);
    commands.put("watch", TdiWatchCommand.class);
    commands.put("bind", TdiBindCommand.class);
    commands.put("unbind", TdiUnbindCommand.class);
    commands.put("report", TdiReportCommand.class);
    commands.put("evidence", TdiEvidenceCommand.class);
    commands.put("recover", TdiRecoverCommand.class);
    commands.put("states", TdiStatesCommand.class);
    return commands;
  }
}
