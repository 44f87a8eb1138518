package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.Run;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The seven steps of the flow, and who reaches the device at each, under every proposal. */
class FlowTest {
  private static final long IDENTIFICATION = 0x7d15_0001L;
  private static final int WORD = 8;
  private static final int UPDATABLE = 0xc000;

  private static Set<TsmOperation> operations(TdiAssignment assignment) {
    return assignment.usedProfile().orElseThrow().operations();
  }

  /** What is done with a run. */
  @FunctionalInterface
  private interface OnRun {
    void take(BarLayout bar, Run run, long gpa);
  }

  private static void forEachRun(TdiAssignment assignment, OnRun taker) {
    Map<Integer, Long> places = assignment.barAddresses();
    assignment
        .layout()
        .orElseThrow()
        .bars()
        .forEach(bar ->
            bar.runs()
                .forEach(run ->
                    taker.take(bar, run, places.getOrDefault(bar.bar(), -1L) + run.offset())));
  }

  /** As the guest does before it uses private MMIO, where a proposal has it. */
  private static void validate(TdiAssignment assignment, GuestAgent guest) {
    if (operations(assignment).contains(TsmOperation.VALIDATE_MMIO)) {
      forEachRun(
          assignment,
          (bar, run, gpa) -> {
            long physical = assignment.physical(bar.bar(), run.offset());
            if (run.kind() == Kind.PRIVATE) {
              var ask = new GuestAsk.ValidateMmio(gpa, gpa + run.bytes(), physical, bar.bar());
              assertThat(guest.ask(ask)).isZero();
            }
          });
    }
  }

  private static Map<Integer, GuestAnswer> firstWords(TdiAssignment assignment, GuestAgent guest) {
    Map<Integer, GuestAnswer> words = new TreeMap<>();
    assignment
        .barAddresses()
        .forEach((bar, gpa) -> words.put(bar, guest.read(gpa, WORD, Kind.SHARED)));
    return words;
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void step1TheSharedDmaBufOfEachBarIsInTheIoasAndInTheGuest(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();

      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.openDmaBufs()).isEqualTo(3);
      assertThat(assignment.barAddresses()).containsOnlyKeys(0, 2, 4);
      assertThat(guest.read(Life.bar(assignment, 0), WORD, Kind.SHARED))
          .isEqualTo(new GuestAnswer.Reached(IDENTIFICATION));
      assertThat(guest.read(Life.bar(assignment, 0), WORD, Kind.PRIVATE).reached()).isFalse();
      assignment
          .barAddresses()
          .values()
          .forEach(gpa -> assertThat(life.deviceReads(gpa)).as("%x", gpa).isTrue());
      assertThat(life.deviceReads(0)).as("private memory of the guest").isFalse();
      assertThat(assignment.ledger().problems()).isEmpty();
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void step2AllOfItIsTakenBackAndClosedBeforeTheBind(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      int rowsOfRam = 1;
      life.onState =
          state -> {
            if (state == State.WITHDRAWN) {
              assertThat(life.openDmaBufs()).isZero();
              assertThat(life.hostMappings()).isZero();
              assertThat(life.tdi()).as("not bound yet").isEmpty();
              assertThat(assignment.ledger().rows()).hasSize(rowsOfRam);
              assertThat(assignment.barAddresses()).isEmpty();
            }
          };
      assignment.bind();
      life.onState = _ -> {};
      assertThat(life.states)
          .containsExactly(State.SHARED, State.WITHDRAWN, State.LOCKED, State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void step3TheInterfaceIsBoundAndLockedWhileNothingOfTheBarsIsMapped(
      Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      life.onState =
          state -> {
            if (state == State.LOCKED) {
              assertThat(life.tdi()).contains(TdiState.CONFIG_LOCKED);
              assertThat(life.openDmaBufs()).isZero();
              assertThat(life.hostMappings()).isZero();
            }
          };
      assignment.bind();
      life.onState = _ -> {};
      assertThat(life.states).contains(State.LOCKED);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void steps4To6GiveTheGuestSharedRunsAsSharedAndPrivateOnesAsPrivate(
      Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.knowingAssignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assignment.bind();
      assignment.start();
      validate(assignment, guest);
      boolean mapsPrivate =
          operations(assignment).contains(TsmOperation.PRIVATE_SLOT)
              || operations(assignment).contains(TsmOperation.VALIDATE_MMIO);

      forEachRun(
          assignment,
          (bar, run, gpa) -> {
            String where = "BAR %d, %s".formatted(bar.bar(), run);
            boolean isShared = run.kind() == Kind.SHARED;
            assertThat(life.deviceReads(gpa)).as("DMA to " + where).isEqualTo(isShared);
            assertThat(guest.read(gpa, WORD, Kind.SHARED).reached()).as(where).isEqualTo(isShared);
            assertThat(guest.read(gpa, WORD, Kind.PRIVATE).reached())
                .as(where)
                .isEqualTo(!isShared && mapsPrivate);
          });
      assertThat(assignment.ledger().problems()).isEmpty();
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void privateReadsReachTheDeviceOnlyWhileItRuns(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assignment.bind();
      long gpa = Life.bar(assignment, 0) + UPDATABLE;
      long physical = assignment.physical(0, UPDATABLE);
      Set<TsmOperation> operations = operations(assignment);
      if (operations.contains(TsmOperation.VALIDATE_MMIO)) {
        assertThat(guest.ask(new GuestAsk.ValidateMmio(gpa, gpa + 0x4000, physical, 0))).isZero();
      }
      boolean mapsPrivate =
          operations.contains(TsmOperation.PRIVATE_SLOT)
              || operations.contains(TsmOperation.VALIDATE_MMIO);

      assertThat(isReached(guest.read(gpa, WORD, Kind.PRIVATE))).as("locked").isFalse();
      assignment.start();
      assertThat(life.tdi()).contains(TdiState.RUN);
      assertThat(isReached(guest.read(gpa, WORD, Kind.PRIVATE))).as("runs").isEqualTo(mapsPrivate);
      assertThat(isReached(guest.read(gpa, WORD, Kind.SHARED))).as("shared").isFalse();
      assertThat(isReached(assignment.readAsHost(0, UPDATABLE))).as("host").isFalse();
      assignment.unbind();
      assertThat(guest.read(gpa, WORD, Kind.PRIVATE).reached()).as("unbound").isFalse();
    }
    life.kernel.close();
  }

  /** All ones is what comes back where nobody answers. */
  private static boolean isReached(GuestAnswer answer) {
    return answer.reached()
        && !answer.equals(new GuestAnswer.Reached(-1))
        && !answer.equals(new GuestAnswer.Reached(0xffff_ffffL));
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void step7BringsStep1BackAndAllIsReadAsBefore(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.knowingAssignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      Map<Integer, GuestAnswer> words = firstWords(assignment, guest);
      var rows = assignment.ledger().rows();
      var plan = assignment.plan();
      assignment.bind();
      assignment.start();
      validate(assignment, guest);
      assignment.unbind();

      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.tdi()).isEmpty();
      assertThat(firstWords(assignment, guest)).isEqualTo(words);
      assertThat(assignment.ledger().rows()).hasSameSizeAs(rows);
      assertThat(assignment.plan()).isEqualTo(plan);
      assertThat(life.openDmaBufs()).isEqualTo(3);
      assertThat(life.deviceReads(Life.bar(assignment, 2))).as("mapped for DMA again").isTrue();
      assertThat(assignment.report()).isEmpty();
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void nothingIsLeftAfterIt(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    var before = life.holdings();
    TdiAssignment assignment = life.assignment();
    life.live(assignment);
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
    assertThat(assignment.ledger().rows()).isEmpty();
    life.kernel.close();
  }

  @Test
  void anotherThreadThatLooksSeesBooksThatAgree() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicBoolean ends = new AtomicBoolean();
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      CompletableFuture<Void> looks =
          CompletableFuture.runAsync(() -> {
            do {
              synchronized (assignment) {
                assertThat(assignment.ledger().problems()).isEmpty();
                assertThat(assignment.ledger().rows()).isNotEmpty();
              }
            } while (!ends.get());
          });
      for (int i = 0; i < 50; i++) {
        assignment.bind();
        assignment.start();
        assignment.unbind();
      }
      ends.set(true);
      looks.join();
    }
    life.kernel.close();
  }
}
