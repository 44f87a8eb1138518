package dev.iolite.cli;

import dev.iolite.cli.CommonOptions.Format;
import dev.iolite.cli.report.DoctorPage;
import dev.iolite.doctor.Doctor;
import dev.iolite.doctor.Finding;
import dev.iolite.doctor.FindingCode;
import dev.iolite.doctor.FunctionCount;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.KvmInfo;
import dev.iolite.tdi.journal.JournalStatus;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code iolite doctor}: what this host can do, what it lacks, and what to do about it. */
@Command(
    name = "doctor",
    description = {
      "Says what this host can do for device assignment and what it lacks, by trying the calls that"
          + " an assignment makes.",
      "Exit code 0 if nothing that is needed is missing, 1 otherwise.",
      "-o prometheus prints metrics for the textfile collector of node_exporter, and -o nfd a"
          + " feature file for Node Feature Discovery. Both have exit code 0 whatever is missing.",
      "With --privileges, it makes no call, and says what each command needs to be allowed to do."
    })
final class DoctorCommand extends IoliteCommand implements Callable<Integer> {
  private static final String NONE = "-";

  @Option(
      names = "--privileges",
      description = "print the user, capabilities, nodes and limits that each command needs")
  private boolean privileges;

  @Mixin private final HtmlReport html = new HtmlReport();

  @Mixin private final RunDirectory directory = new RunDirectory();

  @Override
  Set<Format> formats() {
    return EnumSet.allOf(Format.class);
  }

  @Override
  public Integer call() {
    return privileges ? privileges() : examine();
  }

  private int privileges() {
    Output output = output();
    if (!Format.USUAL.contains(output.format())) {
      throw new ParameterException(
          spec().commandLine(), "--privileges prints table or json, not " + output.format());
    }
    if (output.isJson()) {
      output.json(Privileges.ALL.stream().map(DoctorCommand::json).toList());
      return ExitCode.OK;
    }
    output.table(
        List.of("COMMAND", "USER", "CAPABILITIES", "NODES", "LIMITS"),
        Privileges.ALL.stream()
            .map(p ->
                List.of(
                    p.command(),
                    p.user().toString(),
                    text(p.capabilities()),
                    text(p.nodes()),
                    text(p.limits())))
            .toList());
    output.line("");
    for (Privileges.Capability capability : Privileges.Capability.values()) {
      output.line(capability + ": " + capability.without());
    }
    output.line("");
    output.line("Root starts a command with its capabilities only, for example:");
    Privileges.ALL.stream()
        .flatMap(p -> p.rootStart().stream())
        .forEach(start -> output.line("  " + start));
    return ExitCode.OK;
  }

  private static String text(List<?> items) {
    return items.isEmpty()
        ? NONE
        : items.stream().map(Object::toString).collect(Collectors.joining(", "));
  }

  private static Map<String, Object> json(Privileges privileges) {
    return Json.object(
        "command",
        privileges.command(),
        "user",
        privileges.user().name(),
        "capabilities",
        privileges.capabilities(),
        "nodes",
        privileges.nodes(),
        "limits",
        privileges.limits(),
        "start",
        privileges.start());
  }

  private int examine() {
    List<Finding> findings = new ArrayList<>();
    return html.of(
        () -> examine(findings),
        outcome -> DoctorPage.of(findings, outcome, hostFacts(List.of())),
        this::error);
  }

  private int examine(List<Finding> findings) {
    findings.addAll(new Doctor(kernel()).examine());
    Output output = output();
    switch (output.format()) {
      case TABLE -> print(output, findings);
      case JSON, JSONL -> output.json(findings.stream().map(DoctorCommand::json).toList());
      case PROMETHEUS ->
          output.verbatim(DoctorMetrics.of(findings, FunctionCount.of(kernel()), journals()));
      case NFD -> output.verbatim(NodeFeatures.of(findings, vmTypes(), FunctionCount.of(kernel())));
    }
    boolean isVerdict = Format.STREAMED.contains(output.format());
    return isVerdict && !Finding.isReady(findings) ? ExitCode.CHECK_FAILED : ExitCode.OK;
  }

  private List<JournalStatus> journals() {
    try (CloseStack open = new CloseStack()) {
      return directory.find().map(open::push).map(JournalStatus::all).orElse(List.of());
    }
  }

  /** The types of VM; none if KVM can't be opened, which is a finding of its own. */
  private List<KvmInfo.Type> vmTypes() {
    try {
      return KvmInfo.of(kernel()).types();
    } catch (KernelException _) {
      return List.of();
    }
  }

  private static void print(Output output, List<Finding> findings) {
    output.styledTable(
        List.of("CHECK", "STATUS", "FOUND"),
        findings.stream()
            .map(f ->
                List.of(
                    output.styled(f.check()),
                    coloured(output, f.status()),
                    output.styled(f.observed())))
            .toList());
    findings.forEach(f -> f.code().ifPresent(code -> explain(output, f, code)));
  }

  private static Map<String, Object> json(Finding finding) {
    return Json.object(
        "check",
        finding.check(),
        "status",
        finding.status(),
        "code",
        finding.code().map(FindingCode::toString),
        "observed",
        finding.observed(),
        "why",
        finding.why(),
        "next",
        Remedies.next(finding.advice()));
  }

  private static void explain(Output output, Finding finding, FindingCode code) {
    output.line("");
    output.line(output.styled(finding.check(), Style.bold), " (" + code + "): " + finding.why());
    output.line("  do: " + Remedies.next(finding.advice()));
  }

  private static Text coloured(Output output, Finding.Status status) {
    return switch (status) {
      case OK -> output.styled("OK", Style.fg_green);
      case OPTIONAL -> output.styled("optional", Style.fg_yellow);
      case MISSING -> output.styled("missing", Style.fg_red);
    };
  }
}
