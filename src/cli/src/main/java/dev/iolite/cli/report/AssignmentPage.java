package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.element;
import static dev.iolite.cli.report.Markup.ofClass;

import dev.iolite.cli.StandingTable;
import dev.iolite.tdi.State;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.ledger.LedgerRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The report of {@code iolite tdi assign}. */
public final class AssignmentPage {
  private final AssignmentRecord record;
  private final Outcome outcome;
  private final HostFacts host;

  private AssignmentPage(AssignmentRecord record, Outcome outcome, HostFacts host) {
    this.record = record;
    this.outcome = outcome;
    this.host = host;
  }

  /**
   * Makes the report.
   *
   * @param device the device, or what was to be assigned if none was found
   */
  public static String of(String device, AssignmentRecord record, Outcome outcome, HostFacts host) {
    return new AssignmentPage(record, outcome, host).page(device).toString();
  }

  private Page page(String device) {
    Page page = new Page("Assignment of a device interface (TDI)", device);
    page.note(record.opening());
    page.verdict(outcome, outcome.code() == 0 ? record.success() : failure());
    page.facts(
        List.of(
            new Fact("Kernel", host.name()),
            new Fact("Began", record.clock().began()),
            new Fact("At the end, the interface is", record.now().toString()),
            new Fact("Exit code", Integer.toString(outcome.code()))));
    page.sections(
        Page.section("What was proved", proved()),
        Page.section("What was not", Page.list("missing", notProved())));
    page.section(Page.section("Time line", TimeLine.of(record.stages())));
    page.section(Page.section("Memory before and after", memory()));
    page.section(Page.section("Checks", checks()));
    page.section(Page.section("Device and host", Page.properties(host.all())));
    return page;
  }

  private String failure() {
    return record.stages().stream()
        .filter(stage -> !stage.succeeded())
        .findFirst()
        .map(stage -> "It failed in the stage '%s'.".formatted(stage.title().strip()))
        .orElse("It failed.");
  }

  private Markup proved() {
    Map<State, Map<String, Set<String>>> proved = record.proved();
    if (proved.isEmpty()) {
      return element("p", "Nothing was checked.");
    }
    List<Markup> folds = new ArrayList<>();
    proved.forEach((state, whats) -> folds.add(proved(state, whats)));
    return Page.list("folds", folds);
  }

  private Markup proved(State state, Map<String, Set<String>> whats) {
    long count =
        record.checks().getOrDefault(state, List.of()).stream().filter(Check::isSo).count();
    List<String> words = new ArrayList<>();
    whats.forEach((what, places) -> words.add(what + String.join(", ", places)));
    return Page.fold(
        "proved",
        false,
        element(
            "summary",
            element("span", ofClass("title"), "While " + state),
            ", when %s: ".formatted(meaning(state)),
            element("span", ofClass("good"), Counts.of((int) count, "check"))),
        Page.list("statements", words));
  }

  private static String meaning(State state) {
    return switch (state) {
      case UNASSIGNED -> "nothing is held";
      case SHARED -> "guest and host have all of the device";
      case WITHDRAWN -> "nobody has any of the device";
      case LOCKED -> "the interface is bound, and nothing is mapped";
      case SPLIT -> "the interface is bound, and the guest has its private part alone";
      case RUNNING -> "the interface runs for the guest";
      case ERROR -> "the interface has failed";
      case QUARANTINED -> "nobody knows whether the interface is bound";
    };
  }

  private List<Object> notProved() {
    List<Object> items = new ArrayList<>();
    record
        .checks()
        .forEach((state, checks) ->
            checks.stream()
                .filter(check -> !check.isSo())
                .forEach(check ->
                    items.add(
                        element(
                            "span",
                            ofClass("bad"),
                            "While %s, this was wrong: %s".formatted(state, check.what())))));
    if (outcome.code() != 0) {
      items.add("What comes after the failure: the run ended there.");
    }
    host.model().ifPresent(items::add);
    record
        .lack()
        .ifPresent(lack -> {
          items.add(lack.title());
          items.addAll(lack.missing());
        });
    items.addAll(record.remarks());
    return items;
  }

  private List<Markup> memory() {
    List<Markup> drawn = new ArrayList<>();
    Optional<Standing> before = first(State.SHARED);
    Optional<Standing> after = first(State.SPLIT);
    before.ifPresent(standing -> drawn.addAll(memory("Before the bind", standing)));
    after.ifPresent(standing -> drawn.addAll(memory("While it is bound", standing)));
    if (drawn.isEmpty()) {
      return List.of(element("p", "Nothing was mapped."));
    }
    drawn.addFirst(MemoryDrawing.legend());
    if (record.now() == State.UNASSIGNED) {
      drawn.add(element("h3", "At the end"));
      drawn.add(element("p", "The guest has nothing of the device, and no dma-buf is open."));
    }
    return drawn;
  }

  private Optional<Standing> first(State state) {
    return record.standings().stream()
        .filter(standing -> standing.state() == state && !standing.rows().isEmpty())
        .findFirst();
  }

  private static List<Markup> memory(String heading, Standing standing) {
    return List.of(
        element("h3", heading + ": " + standing.state()),
        MemoryDrawing.of(standing.rows()),
        Page.fold(
            "rows",
            false,
            element("summary", "The ledger: what maps each page"),
            ledger(heading, standing.rows())));
  }

  private static Markup ledger(String heading, List<LedgerRow> rows) {
    return Page.table(
        "ledger",
        "The ledger: " + heading,
        StandingTable.HEADER,
        rows.stream().map(StandingTable::cells).toList());
  }

  private Markup checks() {
    List<List<Object>> rows = new ArrayList<>();
    record
        .checks()
        .forEach((state, checks) -> checks.forEach(check -> rows.add(row(state, check))));
    if (rows.isEmpty()) {
      return element("p", "There were none.");
    }
    return Page.fold(
        "all",
        false,
        element("summary", Counts.of(rows.size(), "check") + ", with what was seen"),
        Page.table("checks", "Checks", List.of("State", "Result", "Check", "Seen"), rows));
  }

  private static List<Object> row(State state, Check check) {
    return Stream.<Object>of(state, Page.mark(check.isSo()), check.what(), check.seen()).toList();
  }
}
