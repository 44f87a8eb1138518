package dev.iolite.steps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What every list of steps has to keep to, whatever went wrong in it. */
public final class UndoOrder {
  private UndoOrder() {}

  /**
   * Each undo takes back the last step that was not taken back yet, failed ones aside; one that
   * failed may be tried again at any later time. At the end every step that succeeded has had its
   * undo.
   */
  public static void check(List<Step> steps) {
    Deque<Step> made = new ArrayDeque<>();
    List<Step> notUndone = new ArrayList<>();
    for (Step step : steps) {
      if (step.undo()) {
        undone(step, made, notUndone);
      } else if (step.kind().words().undo().isPresent()) {
        made.push(step);
      }
    }
    assertThat(made).as("steps that were not undone").noneMatch(Step::succeeded);
  }

  private static void undone(Step undo, Deque<Step> made, List<Step> notUndone) {
    if (notUndone.removeIf(step -> isUndoneBy(step, undo))) {
      if (!undo.succeeded()) {
        notUndone.add(undo);
      }
      return;
    }
    while (!made.isEmpty() && !made.peek().succeeded() && !isUndoneBy(made.peek(), undo)) {
      made.pop();
    }
    assertThat(made).as("%s, with nothing to undo", undo.name()).isNotEmpty();
    assertThat(isUndoneBy(made.peek(), undo))
        .as("%s, but the last step was to %s", undo.name(), made.peek().name())
        .isTrue();
    made.pop();
    if (!undo.succeeded()) {
      notUndone.add(undo);
    }
  }

  private static boolean isUndoneBy(Step step, Step undo) {
    return step.kind().equals(undo.kind()) && what(step).equals(what(undo));
  }

  /** To what it was done; empty if its kind says all. */
  private static String what(Step step) {
    StepWords words = step.kind().words();
    String pattern = step.undo() ? words.undo().orElseThrow() : words.forward();
    Matcher matcher =
        Pattern.compile(Pattern.quote(pattern).replace("%s", "\\E(.*)\\Q")).matcher(step.name());
    assertThat(matcher.matches()).as(step.name()).isTrue();
    return matcher.groupCount() == 0 ? "" : matcher.group(1);
  }
}
