package dev.iolite.tdi;

import static dev.iolite.tdi.State.ERROR;
import static dev.iolite.tdi.State.LOCKED;
import static dev.iolite.tdi.State.QUARANTINED;
import static dev.iolite.tdi.State.RUNNING;
import static dev.iolite.tdi.State.SHARED;
import static dev.iolite.tdi.State.SPLIT;
import static dev.iolite.tdi.State.UNASSIGNED;
import static dev.iolite.tdi.State.WITHDRAWN;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A row of the table of an assignment's states: where some events lead from some states. An event
 * is refused in a state for which it has no row.
 *
 * @param from the states that it leads from
 * @param on the events
 * @param parts what is done, one part after another
 */
public record Transition(Set<State> from, Set<Event> on, List<Part> parts) {
  /** Copies the collections. */
  public Transition {
    from = Collections.unmodifiableSet(EnumSet.copyOf(from));
    on = Collections.unmodifiableSet(EnumSet.copyOf(on));
    parts = List.copyOf(parts);
  }

  /** What a failure in a part leads to before it is thrown. */
  public enum Failure {
    /** Nothing: the state is as before. */
    STAYS("as before"),
    /** The bind is undone and the BARs are shared; where that is impossible, less is held. */
    FALLS_BACK("shared; quarantined if it may be bound; else released"),
    /** {@link Event#UNCLEAR}, if the call may have taken effect. */
    MAY_BE_UNCLEAR("as before; quarantined if it may have been done"),
    /** {@link Event#LOOK}, since the interface itself may have failed. */
    LOOKS("as before; error if the interface has failed"),
    /** {@link Event#RELEASE}. */
    RELEASES("released"),
    /** The rest is done and the state is reached all the same. */
    GOES_ON("the same"),
    /** Everything is still tried; then the kernel is asked whether the interface is bound. */
    ASKS("the same; quarantined if the kernel has it bound");

    private final String words;

    Failure(String words) {
      this.words = words;
    }

    /** Where it leads, in words for people. */
    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * A part of a transition.
   *
   * @param moves what is done
   * @param to the state that is then reached; empty if it is as before
   * @param failure what a failure leads to
   */
  public record Part(List<Move> moves, Optional<State> to, Failure failure) {
    /** Copies the list. */
    public Part {
      moves = List.copyOf(moves);
    }

    private Part(State to, Failure failure, Move... moves) {
      this(List.of(moves), Optional.of(to), failure);
    }

    private Part(Failure failure, Move... moves) {
      this(List.of(moves), Optional.empty(), failure);
    }
  }

  private static final List<Part> NOTHING = List.of(new Part(Failure.STAYS));

  private static final List<Part> BIND =
      List.of(
          new Part(Failure.STAYS, Move.CHECK_LOCKABLE),
          new Part(WITHDRAWN, Failure.FALLS_BACK, Move.WITHDRAW),
          new Part(LOCKED, Failure.FALLS_BACK, Move.LOCK),
          new Part(SPLIT, Failure.FALLS_BACK, Move.SPLIT));

  private static final Part SHARE_AGAIN = new Part(SHARED, Failure.RELEASES, Move.SHARE);

  private static final List<Part> UNBIND =
      List.of(new Part(WITHDRAWN, Failure.FALLS_BACK, Move.UNDO_BIND), SHARE_AGAIN);

  private static final Set<Event> REVOKING =
      EnumSet.of(Event.RESET, Event.HOT_RESET, Event.SLEEP, Event.WRITE_CONFIG);

  private static final List<Transition> TABLE =
      List.of(
          row(
              Event.ASSIGN,
              EnumSet.of(UNASSIGNED),
              new Part(Failure.STAYS, Move.UNDO_REST),
              new Part(SHARED, Failure.RELEASES, Move.PREPARE, Move.SHARE)),
          new Transition(EnumSet.of(SHARED), EnumSet.of(Event.BIND), BIND),
          new Transition(
              EnumSet.of(ERROR),
              EnumSet.of(Event.BIND),
              Stream.concat(UNBIND.stream(), BIND.stream()).toList()),
          row(
              Event.START,
              EnumSet.of(SPLIT),
              new Part(RUNNING, Failure.MAY_BE_UNCLEAR, Move.START)),
          new Transition(EnumSet.of(SPLIT, RUNNING, ERROR), EnumSet.of(Event.UNBIND), UNBIND),
          row(Event.MEASURE, EnumSet.of(SPLIT, RUNNING, ERROR), new Part(Failure.LOOKS)),
          new Transition(
              EnumSet.of(SHARED),
              REVOKING,
              List.of(new Part(Failure.STAYS, Move.REPORT_REVOKED, Move.TAKE_BACK))),
          new Transition(EnumSet.of(SPLIT, RUNNING, ERROR, QUARANTINED), REVOKING, NOTHING),
          new Transition(
              EnumSet.of(SHARED, SPLIT, RUNNING, ERROR, QUARANTINED),
              EnumSet.of(Event.WAKE),
              NOTHING),
          row(
              Event.LOOK,
              EnumSet.of(SPLIT, RUNNING),
              new Part(Failure.STAYS, Move.ASK_WHETHER_FAILED)),
          row(
              Event.LOOK,
              EnumSet.of(SHARED, ERROR, QUARANTINED),
              new Part(Failure.STAYS, Move.RETRY)),
          new Transition(
              EnumSet.of(UNASSIGNED, WITHDRAWN, LOCKED), EnumSet.of(Event.LOOK), NOTHING),
          row(
              Event.REVOKED,
              EnumSet.of(SHARED),
              new Part(Failure.STAYS, Move.TAKE_BACK),
              new Part(Failure.RELEASES, Move.SHARE)),
          row(
              Event.REVOKED,
              EnumSet.of(SPLIT, RUNNING),
              new Part(ERROR, Failure.STAYS, Move.REPORT_REVOKED),
              new Part(Failure.STAYS, Move.TAKE_BACK)),
          row(
              Event.REVOKED,
              EnumSet.of(ERROR, QUARANTINED),
              new Part(Failure.STAYS, Move.TAKE_BACK)),
          row(
              Event.UNCLEAR,
              EnumSet.of(WITHDRAWN, LOCKED, SPLIT, RUNNING, ERROR),
              new Part(QUARANTINED, Failure.GOES_ON, Move.TAKE_BACK),
              new Part(Failure.STAYS, Move.REPORT_UNCLEAR)),
          row(
              Event.PROVE_RELEASED,
              EnumSet.of(QUARANTINED),
              new Part(WITHDRAWN, Failure.STAYS, Move.PROVE),
              SHARE_AGAIN),
          row(Event.RELEASE, EnumSet.of(UNASSIGNED), new Part(Failure.STAYS, Move.UNDO_REST)),
          row(
              Event.RELEASE,
              EnumSet.complementOf(EnumSet.of(UNASSIGNED)),
              new Part(UNASSIGNED, Failure.ASKS, Move.UNDO_ALL)));

  private static Transition row(Event on, Set<State> from, Part... parts) {
    return new Transition(from, EnumSet.of(on), List.of(parts));
  }

  /** The table, row by row. */
  public static List<Transition> table() {
    return TABLE;
  }

  /** Returns the row for a state and an event; empty if the event is refused in that state. */
  public static Optional<Transition> of(State state, Event event) {
    return TABLE.stream()
        .filter(row -> row.from.contains(state) && row.on.contains(event))
        .findFirst();
  }

  /** The state that it leads to if nothing fails; empty if the state stays as it is. */
  public Optional<State> next() {
    return parts.stream().map(Part::to).flatMap(Optional::stream).reduce((_, last) -> last);
  }

  /** The states in which an event is not refused. */
  static List<State> allowing(Event event) {
    return Stream.of(State.values()).filter(state -> of(state, event).isPresent()).toList();
  }
}
