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
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tsm.Profile;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a failed call of the TSM leaves: as before, or a device that nobody touches. */
class QuarantineTest {
  private static void assertNothingIsMapped(Life life, TdiAssignment assignment) {
    assertThat(assignment.state()).isEqualTo(State.QUARANTINED);
    assertThat(life.openDmaBufs()).isZero();
    assertThat(life.hostMappings()).isZero();
    assertThat(assignment.barAddresses()).isEmpty();
    assertThat(assignment.ledger().problems()).isEmpty();
  }

  private static void assertUsable(Life life, TdiAssignment assignment) {
    assertThat(assignment.state()).isEqualTo(State.SHARED);
    assertThat(life.tdi()).isEmpty();
    long bar = Life.bar(assignment, 0);
    assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.SHARED).reached()).isTrue();
    assignment.bind();
    assignment.start();
    assertThat(assignment.state()).isEqualTo(State.RUNNING);
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aBindThatSurelyWasNotDoneLeavesTheBarsShared(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      life.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.ENXIO, false);
      assertThatThrownBy(assignment::bind)
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE));
      assertUsable(life, assignment);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aBindThatMayHaveBeenDoneIsQuarantinedUntilItIsProvedReleased(
      Platform platform, Profile profile) {
    for (boolean after : new boolean[] {false, true}) {
      Life life = new Life(platform, profile);
      try (TdiAssignment assignment = life.assignment()) {
        assignment.assign();
        life.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, after);
        assertThatThrownBy(assignment::bind)
            .isInstanceOfSatisfying(
                TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.MAYBE_DONE));
        assertNothingIsMapped(life, assignment);
        assertThat(life.remarks).anyMatch(remark -> remark.contains("proved released"));
        assignment.endQuarantine();
        assertUsable(life, assignment);
      }
      life.kernel.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aStartThatMayHaveBeenDoneIsQuarantinedAndNotTriedAgain(Platform platform, Profile profile) {
    for (boolean after : new boolean[] {false, true}) {
      Life life = new Life(platform, profile);
      try (TdiAssignment assignment = life.assignment()) {
        assignment.assign();
        assignment.bind();
        life.kernel.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, after);
        assertThatThrownBy(assignment::start).isInstanceOf(TsmCallException.class);
        assertNothingIsMapped(life, assignment);
        int steps = life.steps.size();
        assertThatThrownBy(assignment::start).isInstanceOf(PreconditionException.class);
        assertThatThrownBy(assignment::bind).isInstanceOf(PreconditionException.class);
        assertThatThrownBy(assignment::unbind).isInstanceOf(PreconditionException.class);
        assertThat(life.steps).as("no call was made").hasSize(steps);
        assignment.endQuarantine();
        assertUsable(life, assignment);
      }
      life.kernel.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aStopThatFailsStillUnbindsSinceAllIsTried(Platform platform, Profile profile) {
    for (boolean after : new boolean[] {false, true}) {
      Life life = new Life(platform, profile);
      try (TdiAssignment assignment = life.assignment()) {
        assignment.assign();
        assignment.bind();
        assignment.start();
        life.kernel.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, after);
        assertThatThrownBy(assignment::unbind).isInstanceOf(TsmCallException.class);
        assertThat(life.tdi()).as("unbound all the same").isEmpty();
        if (assignment.state() == State.QUARANTINED) {
          assertNothingIsMapped(life, assignment);
          assignment.endQuarantine();
        }
        assertUsable(life, assignment);
      }
      life.kernel.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"BIND,false", "BIND,true", "SET_STATE,false", "SET_STATE,true", "REPORT,false"})
  void closingAQuarantinedAssignmentLeavesNothing(TsmErrors.Operation operation, boolean after) {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Holdings before = life.holdings();
    TdiAssignment assignment = life.assignment();
    try (assignment) {
      assignment.assign();
      life.kernel.tsm().failNext(operation, Errno.EIO, after);
      assertThatThrownBy(
              () -> {
                assignment.bind();
                assignment.start();
              })
          .isInstanceOf(TsmCallException.class);
    }
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
    life.kernel.close();
  }

  @Test
  void theGuestInQuarantineReachesNothingOfItsDevice() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      var bars = assignment.barAddresses();
      life.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, true);
      assertThat(guest.ask(new GuestAsk.Bind())).isEqualTo(Errno.EIO.negated());
      bars.values()
          .forEach(gpa -> {
            for (Kind kind : Kind.values()) {
              assertThat(guest.read(gpa, Long.BYTES, kind).reached()).as(kind.toString()).isFalse();
            }
            assertThat(life.deviceReads(gpa)).isFalse();
          });
      assertThat(guest.ask(new GuestAsk.Bind())).isNegative();
      assertThat(guest.ask(new GuestAsk.Unbind())).isNegative();
      int command = guest.readConfig(Life.VIRTUAL_BDF, 4);
      guest.writeConfig(Life.VIRTUAL_BDF, 4, command & ~2);
      guest.writeConfig(Life.VIRTUAL_BDF, 4, command);
      assignment.reset();
      assertNothingIsMapped(life, assignment);
      assignment.endQuarantine();
      assertUsable(life, assignment);
    }
    life.kernel.close();
  }

  /** A validation maps where there are no slots for private MMIO, and changes nothing elsewhere. */
  @ParameterizedTest
  @CsvSource({
    "SEED_2025,EIO,SPLIT",
    "SEED_2025,EEXIST,SPLIT",
    "V6,EIO,QUARANTINED",
    "V6,EEXIST,SPLIT",
    "CCA_V7,EIO,QUARANTINED",
    "CCA_V7,EINTR,QUARANTINED",
    "CCA_V7,EEXIST,SPLIT"
  })
  void aValidationThatMayHaveMappedIsQuarantined(Profile profile, Errno errno, State then) {
    Life life = new Life(Platform.TDX, profile);
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.knowingAssignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assignment.bind();
      long bar = Life.bar(assignment, 0);
      var ask = new GuestAsk.ValidateMmio(bar, bar + 0x1000, assignment.physical(0, 0), 0);
      life.kernel.tsm().failNext(TsmErrors.Operation.VALIDATE_MMIO, errno, false);
      assertThat(guest.ask(ask)).isEqualTo(errno.negated());
      assertThat(assignment.state()).isEqualTo(then);
      if (then == State.QUARANTINED) {
        assertNothingIsMapped(life, assignment);
        assertThat(guest.ask(ask)).as("not tried again").isEqualTo(Errno.ENXIO.negated());
        assignment.endQuarantine();
        assertUsable(life, assignment);
      } else {
        assertThat(guest.ask(ask)).isZero();
      }
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  /**
   * The interface runs then, and its DMA is off: it is neither as before nor started, even if the
   * kernel says that it did nothing.
   */
  @ParameterizedTest
  @EnumSource(
      value = Errno.class,
      names = {"ENXIO", "EINVAL", "EIO"})
  void anInterfaceThatRunsWithoutItsDmaIsQuarantined(Errno errno) {
    Life life = new Life(Platform.SEV, Profile.V6);
    Holdings before = life.holdings();
    Calls afterStart =
        call ->
            call.toString().contains("TSM")
                && life.steps.stream().anyMatch(step -> step.kind() == TdiStep.START);
    Faults faults = Faults.none().fail(afterStart, 1, errno, Faults.When.BEFORE);
    FaultyKernel failing = new FaultyKernel(life.kernel, life.ioctls(), faults);
    try (TdiAssignment assignment =
        new TdiAssignment(life.options(failing).withLayout(Life.layoutOfEndpoint()))) {
      assignment.assign();
      assignment.bind();
      assertThatThrownBy(assignment::start)
          .isInstanceOfSatisfying(
              TsmCallException.class,
              e -> assertThat(e.operation()).isEqualTo(TsmOperation.ENABLE_DMA));
      assertNothingIsMapped(life, assignment);
      assignment.endQuarantine();
      assertUsable(life, assignment);
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  @Test
  void anInterfaceIsStoppedOnceHoweverOftenItsReleaseIsTried() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicBoolean armed = new AtomicBoolean();
    Calls destroy = call -> armed.get() && call.toString().equals("IOMMU_DESTROY");
    Faults faults = Faults.none().fail(destroy, 1, Errno.EBUSY, Faults.When.BEFORE);
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    assignment.assign();
    assignment.bind();
    assignment.start();
    armed.set(true);
    assertThatThrownBy(assignment::unbind).isInstanceOf(TsmCallException.class);
    armed.set(false);
    assignment.close();
    assertThat(life.steps).filteredOn(step -> step.kind() == TdiStep.STOP).hasSize(1);
    life.kernel.close();
  }
}
