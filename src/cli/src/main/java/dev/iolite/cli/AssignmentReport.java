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
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;

/**
 * Reports an assignment as it proceeds, or all of it at the end as JSON, which does not depend on
 * the detail.
 */
public final class AssignmentReport implements AssignmentListener {
  /** How much people are told of what succeeds. What fails is shown with its calls, always. */
  public enum Detail {
    /** A line for each stage, and at the end the checks. */
    STAGES,
    /** Each step with the names of its calls, each check, and where the memory stands. */
    STEPS,
    /** As STEPS, with the arguments and results of the calls. */
    CALLS
  }

  /** What a kernel lacks of a profile. */
  private record Lack(UapiProfile profile, List<String> missing) {}

  private static final int CALLS_INDENT = 17;
  private static final int CHECKS_INDENT = 2;

  private final Output output;
  private final Detail detail;
  private final Optional<Path> svg;
  private final List<Map<String, Object>> events = new ArrayList<>();
  private final Map<String, List<String>> checks = new LinkedHashMap<>();
  private Optional<TdiAssignment> assignment = Optional.empty();
  private Optional<StageSum> underWay = Optional.empty();
  private List<LedgerRow> mapped = List.of();
  private String now = State.UNASSIGNED.toString();
  private Optional<Lack> lack = Optional.empty();

  /**
   * Makes a report that prints to an output.
   *
   * @param svg where the bound device's BARs are to be drawn
   */
  public AssignmentReport(Output output, Detail detail, Optional<Path> svg) {
    this.output = output;
    this.detail = detail;
    this.svg = svg;
  }

  /** Sets the assignment whose mappings are shown with each state. */
  public void watch(TdiAssignment watched) {
    assignment = Optional.of(watched);
  }

  /** Says what is about to be done. */
  void opening(String text) {
    if (!output.isJson()) {
      output.wrapped(0, text);
    }
  }

  @Override
  public void stage(Stage stage) {
    if (output.isJson()) {
      events.add(Json.object("stage", stage.toString().strip()));
    } else if (detail == Detail.STAGES) {
      endStage();
      underWay = Optional.of(new StageSum(stage));
    } else {
      output.line("");
      output.line(output.styled(stage.toString(), Style.bold), "");
    }
  }

  private void endStage() {
    underWay.ifPresent(sum ->
        output.heading(
            CALLS_INDENT,
            output.mark(sum.succeeded()),
            "%7.2f ms  ".formatted(millis(sum.took())),
            output.styled(sum.stage().toString(), Style.bold),
            ": " + sum.counts()));
    underWay = Optional.empty();
  }

  private static double millis(Duration duration) {
    return duration.toNanos() / 1e6;
  }

  @Override
  public void step(Step step) {
    if (output.isJson()) {
      events.add(Json.object("step", step));
      return;
    }
    underWay.ifPresent(sum -> sum.add(step));
    if (detail == Detail.STAGES && step.succeeded()) {
      return;
    }
    output.heading(
        CALLS_INDENT,
        output.mark(step.succeeded()),
        "%7.2f ms  ".formatted(millis(step.took())),
        output.styled(step.name(), Style.bold),
        ": " + step.outcome());
    if (detail != Detail.STEPS) {
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
    now = state.toString();
    boolean shows = state == State.SHARED || state == State.SPLIT;
    if (detail == Detail.STAGES) {
      mapped = state == State.SPLIT || mapped.isEmpty() ? rows : mapped;
      return;
    }
    output.line(output.styled("now " + state, Style.bold, Style.fg_blue), "");
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
    checks.computeIfAbsent(now, _ -> new ArrayList<>()).add(check.what());
    if (output.isJson()) {
      events.add(Json.object("check", check));
      return;
    }
    underWay.ifPresent(sum -> sum.addCheck(check.isSo()));
    if (detail == Detail.STAGES && check.isSo()) {
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
    lack = Optional.of(new Lack(profile, missing));
    if (detail != Detail.STAGES) {
      sayWhatIsMissing();
    }
  }

  private void sayWhatIsMissing() {
    lack.ifPresent(found -> {
      String profile = " (UAPI profile " + found.profile().name() + ")";
      boolean isNothing = found.missing().isEmpty();
      output.line("");
      output.line(
          output.styled(
              isNothing
                  ? "Nothing is missing here" + profile + "."
                  : "What is missing here" + profile + ":",
              Style.bold),
          "");
      found.missing().forEach(text -> output.wrapped(2, text));
    });
    lack = Optional.empty();
  }

  /** What was reported as JSON, or will be. */
  public List<Map<String, Object>> events() {
    return List.copyOf(events);
  }

  /** Reports that everything succeeded. */
  void verdict() {
    if (output.isJson()) {
      return;
    }
    endStage();
    if (detail == Detail.STAGES) {
      sayWhatWasProved();
    }
    sayWhatIsMissing();
    output.line("");
    output.line(
        output.styled(
            "All steps succeeded, %d checks were in order, and nothing is held any more."
                .formatted(checks.values().stream().mapToInt(List::size).sum()),
            Style.fg_green,
            Style.bold),
        "");
  }

  private void sayWhatWasProved() {
    output.line("");
    output.line(output.styled("What was mapped", Style.bold), "");
    StandingTable.print(output, mapped);
    output.line("");
    output.line(output.styled("What was checked", Style.bold), "");
    checks.forEach((state, whats) -> {
      output.wrapped(0, "while " + state);
      byPlace(whats)
          .forEach(
              (what, places) -> output.wrapped(CHECKS_INDENT, what + String.join(", ", places)));
    });
  }

  /** The checks without the BARs that they are of, each with these. */
  private static Map<String, Set<String>> byPlace(List<String> whats) {
    Map<String, Set<String>> places = new LinkedHashMap<>();
    for (String what : whats) {
      int place = what.contains(" BAR") ? what.indexOf(" BAR") + 1 : what.length();
      places
          .computeIfAbsent(what.substring(0, place), _ -> new LinkedHashSet<>())
          .add(what.substring(place));
    }
    return places;
  }

  /** Ends the report. */
  void end() {
    if (output.isJson()) {
      output.json(events);
    } else {
      endStage();
      sayWhatIsMissing();
    }
  }
}
