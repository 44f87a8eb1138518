package dev.iolite.cli;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The options of every command. */
final class CommonOptions {
  /** How results are printed. */
  enum Format {
    /** For people. */
    TABLE,
    /** For programs. */
    JSON,
    /** For programs that read while the command runs: an object on each line. */
    JSONL,
    /** For node_exporter, which Prometheus collects metrics from. */
    PROMETHEUS,
    /** For Kubernetes' Node Feature Discovery. */
    NFD;

    /** The forms that every command prints its results in. */
    static final Set<Format> USUAL = Collections.unmodifiableSet(EnumSet.of(TABLE, JSON));

    /** The forms of commands that report one thing after the other. */
    static final Set<Format> STREAMED = Collections.unmodifiableSet(EnumSet.of(TABLE, JSON, JSONL));

    /** Its name on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
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
      OptionSpec usual = spec.findOption("--output");
      if (usual != null && command.getSubcommands().isEmpty()) {
        spec.remove(usual);
        spec.addOption(
            OptionSpec.builder(usual)
                .description(described(iolite.formats()))
                .completionCandidates(iolite.formats().stream().map(Format::toString).toList())
                .build());
      }
      iolite.optionsInstead().forEach(spec::addOption);
    }
    command.getSubcommands().values().forEach(CommonOptions::fit);
  }

  private static String described(Set<Format> formats) {
    return formats.stream()
        .map(Format::toString)
        .collect(Collectors.joining(", "))
        .replaceFirst("^" + Format.TABLE + "\\b", "$0 (the default)")
        .replaceFirst(", (\\w+)$", " or $1");
  }

  /**
   * Makes sure that a command prints its results in the form that was asked for.
   *
   * @throws ParameterException if it does not
   */
  void requireFormatOf(IoliteCommand command) {
    if (!command.formats().contains(format)) {
      CommandLine line = command.spec().commandLine();
      throw new ParameterException(
          line,
          "%s prints %s, not %s"
              .formatted(
                  line.getCommandSpec().qualifiedName(), described(command.formats()), format));
    }
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
