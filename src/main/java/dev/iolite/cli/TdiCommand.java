package dev.iolite.cli;

import picocli.CommandLine.Command;

/** {@code iolite tdi}: device interfaces for confidential guests. */
@Command(
    name = "tdi",
    description =
        "Device interfaces (TDIs) for confidential guests: plan, assign, look at reports.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {TdiPlanCommand.class, TdiAssignCommand.class, TdiReportCommand.class})
final class TdiCommand extends CommandGroup {}
