package dev.iolite.cli;

import dev.iolite.steps.Step;
import dev.iolite.tdi.Stage;
import java.time.Duration;

/** What was done in a stage, in one line. */
final class StageSum {
  private final Stage stage;
  private int steps;
  private int failed;
  private int calls;
  private int checks;
  private Duration took = Duration.ZERO;

  StageSum(Stage stage) {
    this.stage = stage;
  }

  Stage stage() {
    return stage;
  }

  void add(Step step) {
    steps++;
    failed += step.succeeded() ? 0 : 1;
    calls += step.calls().size();
    took = took.plus(step.took());
  }

  void addCheck(boolean isSo) {
    checks++;
    failed += isSo ? 0 : 1;
  }

  boolean succeeded() {
    return failed == 0;
  }

  /** For example {@code 6 steps, 26 calls, 4 checks}. */
  String counts() {
    return count(steps, "step") + count(calls, ", ", "call") + count(checks, ", ", "check");
  }

  Duration took() {
    return took;
  }

  private static String count(int number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }

  private static String count(int number, String separator, String noun) {
    return number == 0 ? "" : separator + count(number, noun);
  }
}
