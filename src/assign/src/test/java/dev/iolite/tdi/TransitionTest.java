package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.tsm.TsmErrors;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every pair of state and event is in the table, or refused; on the model each does what it says.
 */
class TransitionTest {
  /** Passed through within an event: there the listener fires another one. */
  private static final Set<State> PASSED = Set.of(State.WITHDRAWN, State.LOCKED);

  static Stream<Arguments> pairs() {
    return Arrays.stream(State.values())
        .flatMap(state -> Arrays.stream(Event.values()).map(event -> Arguments.of(state, event)));
  }

  /** Brings an assignment to a state, has something done there, and lets it go. */
  private static void in(State state, Life life, TdiAssignment assignment, Runnable action) {
    if (PASSED.contains(state)) {
      life.onState =
          reached -> {
            if (reached == state) {
              life.onState = _ -> {};
              action.run();
            }
          };
    }
    if (state != State.UNASSIGNED) {
      assignment.assign();
    }
    switch (state) {
      case UNASSIGNED, SHARED -> {}
      case WITHDRAWN, LOCKED, SPLIT -> assignment.bind();
      case RUNNING, ERROR -> {
        assignment.bind();
        assignment.start();
      }
      case QUARANTINED -> {
        life.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, true);
        assertThatThrownBy(assignment::bind).isInstanceOf(RuntimeException.class);
      }
    }
    if (state == State.ERROR) {
      life.kernel.tsm().fail(Life.ENDPOINT.toString());
      assignment.refresh();
    }
    if (!PASSED.contains(state)) {
      assertThat(assignment.state()).isEqualTo(state);
      action.run();
    }
  }

  /** As a caller has it happen; those that only happen by themselves are fired as they are. */
  private static void fire(TdiAssignment assignment, Event event) {
    switch (event) {
      case ASSIGN -> assignment.assign();
      case BIND -> assignment.bind();
      case START -> assignment.start();
      case UNBIND -> assignment.unbind();
      case MEASURE -> assignment.measurements(new byte[Measurements.NONCE_BYTES]);
      case RESET -> assertThat(assignment.reset()).isTrue();
      case HOT_RESET -> assertThat(assignment.hotReset()).as("on a root bus").isFalse();
      case SLEEP -> assertThat(assignment.enterLowPower()).isTrue();
      case WAKE -> assignment.leaveLowPower();
      case WRITE_CONFIG -> assignment.writeConfig(4, Short.BYTES, 0);
      case LOOK -> assignment.refresh();
      case REVOKED, UNCLEAR -> assignment.fire(event);
      case PROVE_RELEASED -> assignment.endQuarantine();
      case RELEASE -> assignment.unassign();
    }
  }

  /** What the model has agrees with what the state means. */
  private static void assertIsSo(State state, Life life, Holdings before) {
    if (state != State.QUARANTINED) {
      assertThat(state.isBound()).as("%s", state).isEqualTo(life.tdi().isPresent());
    }
    switch (state) {
      case UNASSIGNED -> assertThat(life.holdings()).isEqualTo(before);
      case SHARED, WITHDRAWN -> assertThat(life.tdi()).isEmpty();
      case LOCKED, SPLIT -> assertThat(life.tdi()).contains(TdiState.CONFIG_LOCKED);
      case RUNNING -> assertThat(life.tdi()).contains(TdiState.RUN);
      case ERROR, QUARANTINED -> assertThat(life.openDmaBufs() + life.hostMappings()).isZero();
    }
  }

  /** Where the pair leads: what revokes also has {@link Event#REVOKED} happen. */
  private static State expected(State state, Event event) {
    boolean revokes =
        switch (event) {
          case RESET, SLEEP, WRITE_CONFIG -> true;
          default -> false;
        };
    State next = next(state, event);
    return revokes ? next(next, Event.REVOKED) : next;
  }

  private static State next(State state, Event event) {
    return Transition.of(state, event).orElseThrow().next().orElse(state);
  }

  @ParameterizedTest
  @MethodSource("pairs")
  void everyPairIsInTheTableOrRefused(State state, Event event) {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Holdings before = life.holdings();
    AtomicReference<Optional<State>> seen = new AtomicReference<>(Optional.empty());
    try (TdiAssignment assignment = life.assignment()) {
      boolean isAllowed = Transition.of(state, event).isPresent();
      Runnable firing =
          () -> {
            int steps = life.steps.size();
            if (isAllowed) {
              fire(assignment, event);
            } else {
              assertThatThrownBy(() -> fire(assignment, event))
                  .isInstanceOf(PreconditionException.class)
                  .hasMessageContaining(event.attempt() + " " + Life.ENDPOINT)
                  .hasMessageContaining("the assignment is " + state);
              assertThat(life.steps).as("no call was made").hasSize(steps);
            }
            seen.set(Optional.of(assignment.state()));
            assertIsSo(assignment.state(), life, before);
          };
      if (isAllowed && PASSED.contains(state)) {
        // What goes on after such an event finds that less is held.
        try {
          in(state, life, assignment, firing);
        } catch (RuntimeException e) {
          assertThat(event).isIn(Event.RELEASE, Event.UNCLEAR);
        }
      } else {
        in(state, life, assignment, firing);
      }
      assertThat(seen.get()).contains(isAllowed ? expected(state, event) : state);
      if (assignment.state() == State.QUARANTINED && assignment.usedProfile().isPresent()) {
        assignment.endQuarantine();
      }
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  /** Written down a second time: {@code same} stays, and {@code -} is refused. */
  @Test
  void theTableLeadsWhereItShould() {
    String expected =
        """
        assign         shared -          -           -           -           -           -           -
        bind           -      split      -           -           -           -           split       -
        start          -      -          -           -           running     -           -           -
        unbind         -      -          -           -           shared      shared      shared      -
        measure        -      -          -           -           same        same        same        -
        reset          -      same       -           -           same        same        same        same
        hot reset      -      same       -           -           same        same        same        same
        sleep          -      same       -           -           same        same        same        same
        wake           -      same       -           -           same        same        same        same
        write config   -      same       -           -           same        same        same        same
        look           same   same       same        same        same        same        same        same
        revoked        -      same       -           -           error       error       same        same
        unclear        -      -          quarantined quarantined quarantined quarantined quarantined -
        prove released -      -          -           -           -           -           -           shared
        release        same   unassigned unassigned  unassigned  unassigned  unassigned  unassigned  unassigned
        """;
    String table =
        Arrays.stream(Event.values())
            .map(event ->
                event
                    + Arrays.stream(State.values())
                        .map(state -> " " + leads(state, event))
                        .collect(Collectors.joining()))
            .collect(Collectors.joining("\n"));
    assertThat(table).isEqualToNormalizingWhitespace(expected);
  }

  private static String leads(State state, Event event) {
    return Transition.of(state, event)
        .map(row -> row.next().map(State::toString).orElse("same"))
        .orElse("-");
  }

  @Test
  void noPairHasTwoRows() {
    List<Transition> table = Transition.table();
    pairs()
        .forEach(pair -> {
          State state = (State) pair.get()[0];
          Event event = (Event) pair.get()[1];
          Predicate<Transition> has = row -> row.from().contains(state) && row.on().contains(event);
          assertThat(table.stream().filter(has)).as("%s in %s", event, state).hasSizeLessThan(2);
        });
    assertThat(table).allSatisfy(row -> assertThat(row.parts()).isNotEmpty());
  }

  /** Where all is closed and the kernel could not say whether the interface is bound. */
  @Test
  void whatNeedsADeviceIsRefusedWhereAllIsClosed() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Calls afterTheDriver =
        call ->
            Calls.named("open").include(call)
                && !life.steps.isEmpty()
                && life.steps.getLast().undo()
                && life.steps.getLast().kind().equals(TdiStep.GIVE_TO_VFIO);
    Faults faults = Faults.none().failAll(afterTheDriver, Errno.EIO, Faults.When.BEFORE);
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    assignment.assign();
    assertThatThrownBy(assignment::unassign).isInstanceOf(RuntimeException.class);
    assertThat(assignment.state()).isEqualTo(State.QUARANTINED);
    for (Event event : Event.values()) {
      if (Transition.of(State.QUARANTINED, event).isPresent()) {
        if (event.needsDevice()) {
          assertThatThrownBy(() -> fire(assignment, event))
              .isInstanceOf(PreconditionException.class)
              .hasMessageContaining(event.attempt())
              .hasMessageContaining("all is closed");
        } else {
          fire(assignment, event);
        }
      }
    }
    life.kernel.close();
  }
}
