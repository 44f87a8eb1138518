package dev.iolite.cli;

import dev.iolite.doctor.Doctor;
import dev.iolite.doctor.Finding;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;

/** {@code iolite doctor}: what this host can do, what it lacks, and what to do about that. */
@Command(
    name = "doctor",
    description = {
      "Says what this host can do for device assignment and what it lacks, by trying the calls that"
          + " an assignment makes.",
      "Exit code 0 if nothing that is needed is missing, 1 otherwise."
    })
final class DoctorCommand extends IoliteCommand implements Callable<Integer> {
  @Override
  public Integer call() {
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
