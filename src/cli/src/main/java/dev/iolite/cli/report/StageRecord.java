package dev.iolite.cli.report;

import dev.iolite.steps.Step;
import dev.iolite.tdi.guest.Check;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What was done in a stage, in the order in which it happened. */
public final class StageRecord {
  private final String title;
  private final List<Event> events = new ArrayList<>();

  /** Something that happened. */
  sealed interface Event {}

  /**
   * A step.
   *
   * @param end when it ended, in nanoseconds from the start of the run
   */
  record Made(Step step, long end) implements Event {
    long start() {
      return end - step.took().toNanos();
    }
  }

  /** A check. */
  record Checked(Check check) implements Event {}

  StageRecord(String title) {
    this.title = title;
  }

  /** What is done in it. */
  public String title() {
    return title;
  }

  void add(Event event) {
    events.add(event);
  }

  List<Event> events() {
    return List.copyOf(events);
  }

  List<Made> steps() {
    return events.stream().filter(Made.class::isInstance).map(Made.class::cast).toList();
  }

  private List<Check> checks() {
    return events.stream()
        .filter(Checked.class::isInstance)
        .map(event -> ((Checked) event).check())
        .toList();
  }

  /** Whether no step and no check has failed. */
  public boolean succeeded() {
    return steps().stream().allMatch(made -> made.step().succeeded())
        && checks().stream().allMatch(Check::isSo);
  }

  /** For example {@code 6 steps, 26 calls, 4 checks}. */
  public String counts() {
    int calls = steps().stream().mapToInt(made -> made.step().calls().size()).sum();
    return Counts.of(steps().size(), "step")
        + (calls == 0 ? "" : ", " + Counts.of(calls, "call"))
        + (checks().isEmpty() ? "" : ", " + Counts.of(checks().size(), "check"));
  }

  /** How long its steps took. */
  public Duration took() {
    return steps().stream().map(made -> made.step().took()).reduce(Duration.ZERO, Duration::plus);
  }
}
