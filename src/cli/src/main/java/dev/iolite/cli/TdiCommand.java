package dev.iolite.cli;

import picocli.CommandLine.Command;

/** {@code iolite tdi}: device interfaces for confidential guests. */
@Command(
    name = "tdi",
    description =
        "Device interfaces (TDIs) for confidential guests: plan, assign, bind, inspect, recover.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TdiPlanCommand.class,
      TdiAssignCommand.class,
      TdiShowCommand.class,
      TdiWatchCommand.class,
      TdiBindCommand.class,
      TdiUnbindCommand.class,
      TdiReportCommand.class,
      TdiEvidenceCommand.class,
      TdiRecoverCommand.class,
      TdiStatesCommand.class
    })
final class TdiCommand extends CommandGroup {}
