package dev.iolite.cli;

import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options of every command. */
final class CommonOptions {
  /** How results are printed. */
  enum Format {
    /** For people. */
    TABLE,
    /** For programs. */
    JSON
  }

  @Option(
      names = {"-o", "--output"},
      scope = ScopeType.INHERIT,
      paramLabel = "FORMAT",
      description = "table (the default) or json")
  private Format format = Format.TABLE;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "print stack traces of failures")
  private boolean verbose;

  @Option(
      names = "--trace",
      scope = ScopeType.INHERIT,
      description = "print every system call to standard error")
  private boolean trace;

  @Option(
      names = "--kernel",
      scope = ScopeType.INHERIT,
      paramLabel = "KERNEL",
      description =
          "host (the default), or a model: mock:plain, mock:tdx or mock:sev, and after another"
              + " colon the profile of its TSM calls; mock:FILE: a machine that iolite record"
              + " recorded; mock@SOCKET: a model that iolite mock serve serves")
  private Optional<KernelChoice> kernel = Optional.empty();

  /** Takes away from each command the options that mean nothing to it. */
  static void fit(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    if (spec.userObject() instanceof IoliteCommand iolite) {
      iolite.unusedOptions().forEach(name -> spec.remove(spec.findOption(name)));
      iolite.optionsInstead().forEach(spec::addOption);
    }
    command.getSubcommands().values().forEach(CommonOptions::fit);
  }

  /** The kernel that the command line names. */
  Optional<KernelChoice> kernel() {
    return kernel;
  }

  boolean verbose() {
    return verbose;
  }

  /** How to print. */
  Format format() {
    return format;
  }

  /** Whether to print every system call. */
  boolean trace() {
    return trace;
  }
}
