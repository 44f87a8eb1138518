package dev.iolite.cli;

import dev.iolite.cli.report.AssignmentRecord;
import dev.iolite.cli.report.StageRecord;
import dev.iolite.pci.PciAddress;
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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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

  private static final int CALLS_INDENT = 17;
  private static final int CHECKS_INDENT = 2;

  private final Output output;
  private final Detail detail;
  private final Optional<Path> svg;
  private final List<Map<String, Object>> events = new ArrayList<>();
  private final AssignmentRecord record = new AssignmentRecord();
  private Optional<TdiAssignment> assignment = Optional.empty();

  /** The stage that is under way and has not been printed yet. */
  private Optional<StageRecord> untold = Optional.empty();

  private Optional<Progress> progress = Optional.empty();
  private boolean isLackTold;
  private boolean isLive;

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

  /** What happened so far. */
  AssignmentRecord record() {
    return record;
  }

  /** The device, once the assignment is known. */
  Optional<PciAddress> device() {
    return assignment.map(TdiAssignment::address);
  }

  /** From now on, also shows what is being done. */
  void show(Optional<Progress> shown) {
    progress = shown;
  }

  private void clearProgress() {
    progress.ifPresent(Progress::clear);
  }

  private void showProgress() {
    progress.ifPresent(shown ->
        record
            .underWay()
            .ifPresent(
                stage -> shown.show("%s ... %s".formatted(stage.title().strip(), stage.counts()))));
  }

  /** Says what is about to be done. From now on, lines of JSON are printed as things happen. */
  void opening(String text) {
    record.opening(text);
    isLive = output.isJsonLines();
    if (!output.isJson()) {
      output.wrapped(0, text);
    }
  }

  @Override
  public void stage(Stage stage) {
    clearProgress();
    endStage();
    record.stage(stage);
    print(stage);
    showProgress();
  }

  private void print(Stage stage) {
    if (output.isJson()) {
      event(Json.object("stage", stage.toString().strip()));
    } else if (detail == Detail.STAGES) {
      untold = record.underWay();
    } else {
      output.line("");
      output.line(output.styled(stage.toString(), Style.bold), "");
    }
  }

  private void event(Map<String, Object> event) {
    if (isLive) {
      output.json(event);
    } else {
      events.add(event);
    }
  }

  private void endStage() {
    untold.ifPresent(sum ->
        output.heading(
            CALLS_INDENT,
            output.mark(sum.succeeded()),
            time(sum.took()),
            output.styled(sum.title(), Style.bold),
            ": " + sum.counts()));
    untold = Optional.empty();
  }

  private static String time(Duration duration) {
    return String.format(Locale.ROOT, "%7.2f ms  ", duration.toNanos() / 1e6);
  }

  @Override
  public void step(Step step) {
    record.step(step);
    clearProgress();
    print(step);
    showProgress();
  }

  private void print(Step step) {
    if (output.isJson()) {
      event(Json.object("step", step));
      return;
    }
    if (detail == Detail.STAGES && step.succeeded()) {
      return;
    }
    output.heading(
        CALLS_INDENT,
        output.mark(step.succeeded()),
        time(step.took()),
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
    clearProgress();
    List<LedgerRow> rows = assignment.map(a -> a.ledger().rows()).orElse(List.of());
    record.state(state, rows);
    Optional<MmioLayout> layout = assignment.flatMap(TdiAssignment::layout);
    if (state == State.SPLIT && svg.isPresent() && layout.isPresent()) {
      String title = assignment.map(a -> a.address().toString()).orElse("");
      TdiFiles.writeSvg(svg.get(), layout.get(), title);
    }
    if (output.isJson()) {
      event(Json.object("state", state.toString(), "ledger", rows, "layout", layout));
      return;
    }
    boolean shows = state == State.SHARED || state == State.SPLIT;
    if (detail == Detail.STAGES) {
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
    clearProgress();
    record.remark(text);
    if (output.isJson()) {
      event(Json.object("remark", text));
    } else {
      output.wrapped(0, "Note: " + text);
    }
  }

  /** Reports a check of the guest's side. */
  void check(Check check) {
    clearProgress();
    record.check(check);
    if (output.isJson()) {
      event(Json.object("check", check));
      return;
    }
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
    clearProgress();
    record.missing(profile, missing);
    if (output.isJson()) {
      event(Json.object("profile", profile.name().toString(), "missing", missing));
      return;
    }
    if (detail != Detail.STAGES) {
      sayWhatIsMissing();
    }
  }

  private void sayWhatIsMissing() {
    if (isLackTold) {
      return;
    }
    record
        .lack()
        .ifPresent(found -> {
          isLackTold = true;
          output.line("");
          output.line(output.styled(found.title(), Style.bold), "");
          found.missing().forEach(text -> output.wrapped(2, text));
        });
  }

  /** What was reported as JSON, or will be. */
  public List<Map<String, Object>> events() {
    return List.copyOf(events);
  }

  /** Reports that everything succeeded. */
  void verdict() {
    clearProgress();
    if (output.isJson()) {
      return;
    }
    endStage();
    if (detail == Detail.STAGES) {
      sayWhatWasProved();
    }
    sayWhatIsMissing();
    output.line("");
    output.line(output.styled(record.success(), Style.fg_green, Style.bold), "");
  }

  private void sayWhatWasProved() {
    output.line("");
    output.line(output.styled("What was mapped", Style.bold), "");
    StandingTable.print(output, record.mapped());
    output.line("");
    output.line(output.styled("What was checked", Style.bold), "");
    record
        .proved()
        .forEach((state, whats) -> {
          output.wrapped(0, "while " + state);
          whats.forEach(
              (what, places) -> output.wrapped(CHECKS_INDENT, what + String.join(", ", places)));
        });
  }

  /** Ends the report. */
  void end() {
    clearProgress();
    if (output.isJson()) {
      output.json(events);
    } else {
      endStage();
      sayWhatIsMissing();
    }
  }
}
