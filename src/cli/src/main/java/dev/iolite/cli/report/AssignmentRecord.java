package dev.iolite.cli.report;

import dev.iolite.steps.Step;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What happened in an assignment. What people are told of it, in any form, is made of this. */
public final class AssignmentRecord {
  /**
   * What a kernel lacks of a profile.
   *
   * @param missing what it lacks, in words; empty if nothing
   */
  public record Lack(UapiProfile profile, List<String> missing) {
    /** Copies the list. */
    public Lack {
      missing = List.copyOf(missing);
    }

    /** For example {@code What is missing here (UAPI profile mainline-7.3):}. */
    public String title() {
      return missing.isEmpty()
          ? "Nothing is missing here (UAPI profile %s).".formatted(profile.name())
          : "What is missing here (UAPI profile %s):".formatted(profile.name());
    }
  }

  private final RunClock clock = new RunClock();
  private final List<StageRecord> stages = new ArrayList<>();
  private final List<Standing> standings = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();
  private final Map<State, List<Check>> checks = new LinkedHashMap<>();
  private String opening = "";
  private State now = State.UNASSIGNED;
  private Optional<Lack> lack = Optional.empty();

  /** Says what is about to be done. */
  public void opening(String text) {
    opening = text;
  }

  /** A stage begins. */
  public void stage(Stage stage) {
    stages.add(new StageRecord(stage.toString()));
  }

  /** A step was made. */
  public void step(Step step) {
    if (stages.isEmpty()) {
      stage(Stage.PREPARE);
    }
    stages.getLast().add(new StageRecord.Made(step, clock.nanos()));
  }

  /** The assignment has entered a state, with this ledger. */
  public void state(State state, List<LedgerRow> rows) {
    now = state;
    standings.add(new Standing(state, rows));
  }

  /** Something worth mentioning was said. */
  public void remark(String text) {
    remarks.add(text);
  }

  /** Something was checked. */
  public void check(Check check) {
    checks.computeIfAbsent(now, _ -> new ArrayList<>()).add(check);
    if (!stages.isEmpty()) {
      stages.getLast().add(new StageRecord.Checked(check));
    }
  }

  /** Something is missing here, or nothing. */
  public void missing(UapiProfile profile, List<String> missing) {
    lack = Optional.of(new Lack(profile, missing));
  }

  String opening() {
    return opening;
  }

  RunClock clock() {
    return clock;
  }

  List<StageRecord> stages() {
    return List.copyOf(stages);
  }

  List<Standing> standings() {
    return List.copyOf(standings);
  }

  List<String> remarks() {
    return List.copyOf(remarks);
  }

  Map<State, List<Check>> checks() {
    return checks;
  }

  State now() {
    return now;
  }

  /** What this kernel lacks, once that is known. */
  public Optional<Lack> lack() {
    return lack;
  }

  /** The stage that is under way. */
  public Optional<StageRecord> underWay() {
    return stages.isEmpty() ? Optional.empty() : Optional.of(stages.getLast());
  }

  /** The ledger of the state in which the interface was bound, or else of the first with any. */
  public List<LedgerRow> mapped() {
    List<LedgerRow> mapped = List.of();
    for (Standing standing : standings) {
      if (standing.state() == State.SPLIT || mapped.isEmpty()) {
        mapped = standing.rows();
      }
    }
    return mapped;
  }

  /**
   * What was found to be so in each state: the checks without the BARs that they are of, each with
   * these.
   */
  public Map<State, Map<String, Set<String>>> proved() {
    Map<State, Map<String, Set<String>>> proved = new LinkedHashMap<>();
    checks.forEach((state, all) ->
        all.stream()
            .filter(Check::isSo)
            .map(Check::what)
            .forEach(what -> {
              int place = what.contains(" BAR") ? what.indexOf(" BAR") + 1 : what.length();
              proved
                  .computeIfAbsent(state, _ -> new LinkedHashMap<>())
                  .computeIfAbsent(what.substring(0, place), _ -> new LinkedHashSet<>())
                  .add(what.substring(place));
            }));
    return proved;
  }

  /** The verdict on an assignment that nothing ended before its time. */
  public String success() {
    return "All steps succeeded, %d checks were in order, and nothing is held any more."
        .formatted(checks.values().stream().mapToInt(List::size).sum());
  }
}
