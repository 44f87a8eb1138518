package dev.iolite.cli;

import dev.iolite.steps.Step;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.trace.TracedCall;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;

/** Reports an assignment as it proceeds, or all of it at the end as JSON. */
public final class AssignmentReport implements AssignmentListener {
  private static final int CALLS_INDENT = 17;

  private final Output output;
  private final boolean allCalls;
  private final Optional<Path> svg;
  private final List<Map<String, Object>> events = new ArrayList<>();
  private int checks;
  private Optional<TdiAssignment> assignment = Optional.empty();

  /**
   * Makes a report that prints to an output.
   *
   * @param allCalls whether calls are shown with their arguments
   * @param svg where the bound device's BARs are to be drawn
   */
  public AssignmentReport(Output output, boolean allCalls, Optional<Path> svg) {
    this.output = output;
    this.allCalls = allCalls;
    this.svg = svg;
  }

  /** Sets the assignment whose mappings are shown with each state. */
  public void watch(TdiAssignment watched) {
    assignment = Optional.of(watched);
  }

  @Override
  public void stage(Stage stage) {
    if (output.isJson()) {
      events.add(Json.object("stage", stage.toString().strip()));
    } else {
      output.line("");
      output.line(output.styled(stage.toString(), Style.bold), "");
    }
  }

  @Override
  public void step(Step step) {
    if (output.isJson()) {
      events.add(Json.object("step", step));
      return;
    }
    output.heading(
        CALLS_INDENT,
        output.mark(step),
        "%7.2f ms  ".formatted(step.took().toNanos() / 1e6),
        output.styled(step.name(), Style.bold),
        ": " + step.outcome());
    if (allCalls) {
      step.calls().forEach(call -> output.wrapped(CALLS_INDENT, call.toString()));
    } else if (!step.calls().isEmpty()) {
      output.wrapped(CALLS_INDENT, names(step.calls()));
    }
  }

  private static String names(List<TracedCall> calls) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    calls.forEach(call -> counts.merge(call.name(), 1, Integer::sum));
    return counts.entrySet().stream()
        .map(e -> e.getValue() == 1 ? e.getKey() : e.getKey() + " x" + e.getValue())
        .collect(Collectors.joining(", "));
  }

  @Override
  public void state(State state) {
    List<LedgerRow> rows = assignment.map(a -> a.ledger().rows()).orElse(List.of());
    Optional<MmioLayout> layout = assignment.flatMap(TdiAssignment::layout);
    if (state == State.SPLIT && svg.isPresent() && layout.isPresent()) {
      String title = assignment.map(a -> a.address().toString()).orElse("");
      TdiFiles.writeSvg(svg.get(), layout.get(), title);
    }
    if (output.isJson()) {
      events.add(Json.object("state", state.toString(), "ledger", rows, "layout", layout));
      return;
    }
    output.line(output.styled("now " + state, Style.bold, Style.fg_blue), "");
    boolean shows = state == State.SHARED || state == State.SPLIT;
    if (shows && layout.isPresent()) {
      StandingTable.print(output, rows);
      output.line("");
      output.picture(layout.get());
      output.line("");
    }
  }

  @Override
  public void remark(String text) {
    if (output.isJson()) {
      events.add(Json.object("remark", text));
    } else {
      output.wrapped(0, "Note: " + text);
    }
  }

  /** Reports a check of the guest's side. */
  void check(Check check) {
    checks++;
    if (output.isJson()) {
      events.add(Json.object("check", check));
      return;
    }
    Text mark =
        check.isSo()
            ? output.styled("check ", Style.fg_green)
            : output.styled("WRONG ", Style.fg_red);
    output.line(mark, " %s: %s".formatted(check.what(), check.seen()));
  }

  /** Reports what this host lacks. */
  void missing(UapiProfile profile, List<String> missing) {
    if (output.isJson()) {
      events.add(Json.object("profile", profile.name().toString(), "missing", missing));
      return;
    }
    output.line("");
    output.line(
        output.styled(
            missing.isEmpty()
                ? "Nothing is missing here (UAPI profile " + profile.name() + ")."
                : "What is missing here (UAPI profile " + profile.name() + "):",
            Style.bold),
        "");
    missing.forEach(text -> output.wrapped(2, text));
  }

  /** What was reported as JSON, or will be. */
  public List<Map<String, Object>> events() {
    return List.copyOf(events);
  }

  /** Reports that everything succeeded. */
  void verdict() {
    if (!output.isJson()) {
      output.line("");
      output.line(
          output.styled(
              "All steps succeeded, %d checks were in order, and nothing is held any more."
                  .formatted(checks),
              Style.fg_green,
              Style.bold),
          "");
    }
  }

  /** Ends the report. */
  void end() {
    if (output.isJson()) {
      output.json(events);
    }
  }
}
