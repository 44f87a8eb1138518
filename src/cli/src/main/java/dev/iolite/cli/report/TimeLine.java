package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.attribute;
import static dev.iolite.cli.report.Markup.element;
import static dev.iolite.cli.report.Markup.ofClass;

import dev.iolite.cli.report.StageRecord.Checked;
import dev.iolite.cli.report.StageRecord.Made;
import dev.iolite.steps.Step;
import dev.iolite.tdi.guest.Check;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** The stages of a run on a line of time: below each, its steps, and below these, their calls. */
final class TimeLine {
  private final long first;
  private final long last;

  private TimeLine(List<StageRecord> stages) {
    List<Made> all = stages.stream().flatMap(stage -> stage.steps().stream()).toList();
    first = all.stream().mapToLong(Made::start).min().orElse(0);
    last = Math.max(first + 1, all.stream().mapToLong(Made::end).max().orElse(0));
  }

  static Markup of(List<StageRecord> stages) {
    if (stages.isEmpty()) {
      return element("p", "Nothing was begun.");
    }
    TimeLine line = new TimeLine(stages);
    return element(
        "div",
        element(
            "p",
            ofClass("axis"),
            element("span", "0 ms"),
            element("span", millis(line.last - line.first))),
        element("ol", ofClass("stages"), stages.stream().map(line::stage).toList()));
  }

  static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
  }

  private static String millis(Duration time) {
    return millis(time.toNanos());
  }

  private Markup stage(StageRecord stage) {
    Markup summary =
        element(
            "summary",
            Page.mark(stage.succeeded()),
            " ",
            element("span", ofClass("title"), stage.title().strip()),
            " ",
            element("span", ofClass("sum"), stage.counts() + ", " + millis(stage.took())),
            drawn(stage));
    return element(
        "li",
        Page.fold(
            "stage",
            !stage.succeeded(),
            summary,
            element(
                "ul", ofClass("steps"), stage.events().stream().map(TimeLine::event).toList())));
  }

  private Markup drawn(StageRecord stage) {
    List<Made> steps = stage.steps();
    String words =
        steps.isEmpty()
            ? "no step"
            : "from %s to %s"
                .formatted(
                    millis(steps.getFirst().start() - first),
                    millis(steps.getLast().end() - first));
    return element(
        "svg",
        attribute("xmlns", "http://www.w3.org/2000/svg"),
        ofClass("times"),
        attribute("role", "img"),
        attribute("aria-label", words),
        steps.stream().map(this::drawn).toList());
  }

  private Markup drawn(Made made) {
    return element(
        "rect",
        ofClass(made.step().succeeded() ? "made" : "failed"),
        attribute("x", percent(made.start() - first)),
        attribute("width", percent(made.end() - made.start())),
        attribute("height", "100%"),
        element("title", made.step().name() + ", " + millis(made.step().took())));
  }

  private String percent(long nanos) {
    return String.format(Locale.ROOT, "%.3f%%", 100.0 * nanos / (last - first));
  }

  private static Markup event(StageRecord.Event event) {
    return switch (event) {
      case Made(Step step, long _) -> step(step);
      case Checked(Check check) ->
          element(
              "li",
              Page.mark(check.isSo()),
              " check: ",
              check.what() + ": ",
              element("code", check.seen()));
    };
  }

  private static Markup step(Step step) {
    List<Object> words =
        List.of(
            Page.mark(step.succeeded()),
            " ",
            step.name() + ": ",
            element("code", step.outcome()),
            " ",
            element("span", ofClass("sum"), counts(step)));
    if (step.calls().isEmpty()) {
      return element("li", words);
    }
    return element(
        "li",
        Page.fold(
            "calls",
            !step.succeeded(),
            element("summary", words),
            element(
                "ol",
                step.calls().stream()
                    .map(call -> element("li", element("code", call.toString())))
                    .toList())));
  }

  private static String counts(Step step) {
    int calls = step.calls().size();
    return (calls == 0 ? "" : Counts.of(calls, "call") + ", ") + millis(step.took());
  }
}
