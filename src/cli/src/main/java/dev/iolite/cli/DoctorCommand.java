package dev.iolite.cli;

import dev.iolite.doctor.Doctor;
import dev.iolite.doctor.Finding;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Option;

/** {@code iolite doctor}: what this host can do, what it lacks, and what to do about it. */
@Command(
    name = "doctor",
    description = {
      "Says what this host can do for device assignment and what it lacks, by trying the calls that"
          + " an assignment makes.",
      "Exit code 0 if nothing that is needed is missing, 1 otherwise.",
      "With --privileges, it makes no call, and says what each command needs to be allowed to do."
    })
final class DoctorCommand extends IoliteCommand implements Callable<Integer> {
  private static final String NONE = "-";

  @Option(
      names = "--privileges",
      description = "print the user, capabilities, nodes and limits that each command needs")
  private boolean privileges;

  @Override
  public Integer call() {
    return privileges ? privileges() : examine();
  }

  private int privileges() {
    Output output = output();
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
    List<Finding> findings = new Doctor(kernel()).examine();
    Output output = output();
    if (output.isJson()) {
      output.json(findings.stream().map(DoctorCommand::json).toList());
    } else {
      output.styledTable(
          List.of("CHECK", "STATUS", "FOUND"),
          findings.stream()
              .map(f ->
                  List.of(
                      output.styled(f.check()),
                      coloured(output, f.status()),
                      output.styled(f.observed())))
              .toList());
      findings.stream().filter(f -> !f.next().isEmpty()).forEach(f -> explain(output, f));
    }
    boolean complete = findings.stream().noneMatch(f -> f.status() == Finding.Status.MISSING);
    return complete ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  private static Map<String, Object> json(Finding finding) {
    return Json.object(
        "check",
        finding.check(),
        "status",
        finding.status(),
        "observed",
        finding.observed(),
        "why",
        finding.why(),
        "next",
        Remedies.next(finding.advice()));
  }

  private static void explain(Output output, Finding finding) {
    output.line("");
    output.line(output.styled(finding.check(), Style.bold), ": " + finding.why());
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
