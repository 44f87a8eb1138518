package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.kvm.GuestStep;
import dev.iolite.mock.kvm.TsmExits;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tsm.Profile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A guest that asks for what it may not have: it is refused, and nothing else changes. */
class BadGuestTest {
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final long PAGE = 4096;
  private static final long REPORT = 0x2000;
  private static final long MESSAGE_BYTES = 169;

  /** Lengths that no room has. */
  private static final long[] NO_LENGTHS = {0, -1, PAGE + 1, Long.MIN_VALUE, Long.MAX_VALUE, -PAGE};

  private static long refused(Errno errno) {
    return errno.negated();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aSecondBindOrUnbindIsRefusedAndChangesNothing(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assertThat(guest.ask(new GuestAsk.Unbind())).isEqualTo(refused(Errno.EBUSY));
      assertThat(guest.ask(new GuestAsk.SetState(Life.RUN))).isEqualTo(refused(Errno.EBUSY));
      assertThat(guest.ask(new GuestAsk.Bind())).isZero();
      var rows = assignment.ledger().rows();
      assertThat(guest.ask(new GuestAsk.Bind())).isEqualTo(refused(Errno.EBUSY));
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
      assertThat(assignment.ledger().rows()).isEqualTo(rows);
      assertThat(guest.ask(new GuestAsk.SetState(Life.RUN))).isZero();
      assertThat(guest.ask(new GuestAsk.SetState(Life.RUN))).isEqualTo(refused(Errno.EBUSY));
      assertThat(guest.ask(new GuestAsk.SetState(1))).as("back").isEqualTo(refused(Errno.EBUSY));
      assertThat(assignment.state()).isEqualTo(State.RUNNING);
      for (int unknown : new int[] {3, 4, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        assertThat(guest.ask(new GuestAsk.SetState(unknown)))
            .as("state %d", unknown)
            .isEqualTo(refused(Errno.EINVAL));
      }
      assertThat(guest.ask(new GuestAsk.SetState(0))).isZero();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aBindOfADeviceThatDoesNotAnswerIsRefusedAndQuarantinesNothing(
      Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      int command = guest.readConfig(Life.VIRTUAL_BDF, 4) & 0xffff;
      guest.writeConfig(Life.VIRTUAL_BDF, 4, command & ~MEMORY);
      assertThat(guest.ask(new GuestAsk.Bind())).isEqualTo(refused(Errno.EBUSY));
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.tdi()).isEmpty();
      assertThat(assignment.ledger().problems()).isEmpty();

      guest.writeConfig(Life.VIRTUAL_BDF, 4, command & ~MASTER);
      assertThat(guest.ask(new GuestAsk.Bind())).as("TDISP locks it").isZero();
      guest.writeConfig(Life.VIRTUAL_BDF, 4, command);
      assertThat(assignment.refresh()).as("on is no change, off is").isEqualTo(State.SPLIT);
      guest.writeConfig(Life.VIRTUAL_BDF, 4, command & ~MASTER);
      assertThat(assignment.refresh()).isEqualTo(State.ERROR);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void anotherDevicesNumberIsEnodevForAll(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest stranger = new MockGuest(life.told, assignment, Life.VIRTUAL_BDF + 1);
      assignment.assign();
      assertThat(stranger.ask(new GuestAsk.Bind())).isEqualTo(refused(Errno.ENODEV));
      assignment.bind();
      assertThat(stranger.ask(new GuestAsk.Unbind())).isEqualTo(refused(Errno.ENODEV));
      assertThat(stranger.ask(new GuestAsk.SetState(2))).isEqualTo(refused(Errno.ENODEV));
      assertThat(stranger.ask(new GuestAsk.ReadReport(0, PAGE))).isEqualTo(refused(Errno.ENODEV));
      assertThat(stranger.ask(new GuestAsk.ReadMeasurements(0, PAGE)))
          .isEqualTo(refused(Errno.ENODEV));
      assertThat(stranger.ask(new GuestAsk.ValidateMmio(0, PAGE, 0, 0)))
          .isEqualTo(refused(Errno.ENODEV));
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"SEED_2025", "V6", "CCA_V7"})
  void aValidationOfWhatIsNotItsPrivateMmioThereIsRefused(Profile profile) {
    Life life = new Life(Platform.TDX, profile);
    try (TdiAssignment assignment = life.knowingAssignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assertThat(guest.ask(new GuestAsk.ValidateMmio(0x200_0000, 0x200_1000, 0, 0)))
          .as("not bound")
          .isEqualTo(refused(Errno.ENXIO));
      assignment.bind();
      long bar = Life.bar(assignment, 0);
      long at = assignment.physical(0, 0);
      long[][] wrong = {
        {bar - PAGE, bar, at - PAGE},
        {bar + 0x2000, bar + 0x3000, at + 0x2000},
        {bar + 0x1000, bar + 0x3000, at + 0x1000},
        {bar + 0xf000, bar + 0x1_1000, at + 0xf000},
        {bar, bar + PAGE, at + PAGE},
        {bar, bar + PAGE, 0},
        {bar + PAGE, bar + PAGE, at + PAGE},
        {bar + PAGE, bar, at + PAGE},
        {bar, bar - 1, at},
        {-PAGE, 0, at},
        {0, -1, at},
        {Long.MIN_VALUE, Long.MAX_VALUE, at},
        {bar + 1, bar + PAGE, at + 1},
        {bar, bar + 1, at},
        {0, PAGE, 0},
      };
      for (long[] range : wrong) {
        assertThat(guest.ask(new GuestAsk.ValidateMmio(range[0], range[1], range[2], 0)))
            .as("0x%x-0x%x at 0x%x", range[0], range[1], range[2])
            .isEqualTo(refused(Errno.EINVAL));
      }
      var right = new GuestAsk.ValidateMmio(bar, bar + PAGE, at, 0);
      assertThat(guest.ask(right)).isZero();
      assertThat(guest.ask(right)).as("twice").isIn(0L, refused(Errno.EEXIST));
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aReportGoesIntoSharedMemoryOnly(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assertThat(guest.ask(new GuestAsk.ReadReport(REPORT, PAGE))).isEqualTo(refused(Errno.ENXIO));
      assignment.bind();
      boolean has =
          assignment.usedProfile().orElseThrow().operations().contains(TsmOperation.READ_REPORT);
      long none = refused(has ? Errno.EFAULT : Errno.ENXIO);
      guest.ask(new GuestAsk.Convert(REPORT, PAGE, Kind.SHARED));
      for (long bytes : NO_LENGTHS) {
        assertThat(guest.ask(new GuestAsk.ReadReport(REPORT, bytes)))
            .as("%d", bytes)
            .isEqualTo(none);
      }
      for (long gpa :
          new long[] {
            0, REPORT + PAGE - 8, REPORT - 8, 4L << 20, -8, Long.MIN_VALUE, Long.MAX_VALUE
          }) {
        assertThat(guest.ask(new GuestAsk.ReadReport(gpa, PAGE))).as("0x%x", gpa).isEqualTo(none);
      }
      assertThat(guest.ask(new GuestAsk.ReadReport(Life.bar(assignment, 2), PAGE)))
          .as("into its device")
          .isEqualTo(none);
      long bytes = assignment.report().map(report -> report.length).orElse(0);
      assertThat(guest.ask(new GuestAsk.ReadReport(REPORT, Math.max(1, bytes - 1))))
          .isEqualTo(refused(has ? Errno.ENOSPC : Errno.ENXIO));
      assertThat(guest.ask(new GuestAsk.ReadReport(REPORT, PAGE)))
          .isEqualTo(has ? bytes : refused(Errno.ENXIO));
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void measurementsGoIntoARoomInSharedMemoryOnlyAndNotBeyondIt(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      guest.ask(new GuestAsk.Convert(REPORT, PAGE, Kind.SHARED));
      assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, PAGE)))
          .as("not bound")
          .isEqualTo(refused(Errno.ENXIO));
      assignment.bind();
      if (!assignment
          .usedProfile()
          .orElseThrow()
          .operations()
          .contains(TsmOperation.READ_MEASUREMENTS)) {
        assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, PAGE)))
            .isEqualTo(refused(Errno.EOPNOTSUPP));
        return;
      }
      var untouched = guest.read(REPORT, Long.BYTES, Kind.SHARED);
      for (long bytes : NO_LENGTHS) {
        assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, bytes)))
            .as("%d bytes", bytes)
            .isEqualTo(refused(Errno.EFAULT));
      }
      for (long gpa :
          new long[] {
            0,
            REPORT + PAGE - 8,
            REPORT - 8,
            4L << 20,
            -8,
            Long.MIN_VALUE,
            Long.MAX_VALUE,
            Life.bar(assignment, 2)
          }) {
        assertThat(guest.ask(new GuestAsk.ReadMeasurements(gpa, PAGE)))
            .as("at 0x%x", gpa)
            .isEqualTo(refused(Errno.EFAULT));
      }
      assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, 31)))
          .as("no room for the nonce")
          .isEqualTo(refused(Errno.EINVAL));
      for (long bytes : new long[] {32, MESSAGE_BYTES - 1}) {
        assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, bytes)))
            .as("%d bytes", bytes)
            .isEqualTo(refused(Errno.ENOSPC));
      }
      assertThat(guest.read(REPORT, Long.BYTES, Kind.SHARED)).isEqualTo(untouched);

      long end = REPORT + PAGE - MESSAGE_BYTES;
      assertThat(guest.ask(new GuestAsk.ReadMeasurements(end, MESSAGE_BYTES)))
          .isEqualTo(MESSAGE_BYTES);
      guest.write(REPORT + MESSAGE_BYTES, 1, 0x5a, Kind.SHARED);
      assertThat(guest.ask(new GuestAsk.ReadMeasurements(REPORT, PAGE))).isEqualTo(MESSAGE_BYTES);
      assertThat(guest.read(REPORT + MESSAGE_BYTES, 1, Kind.SHARED))
          .as("what is behind the message")
          .isEqualTo(new GuestAnswer.Reached(0x5a));
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  /** KVM takes few answers to this one, and a guest must live on with each. */
  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void aConversionOfWhatIsNotItsRamIsRefusedHoweverLarge(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      long bar = Life.bar(assignment, 0);
      var rows = assignment.ledger().rows();
      long[][] wrong = {
        {4L << 20, PAGE},
        {(4L << 20) - PAGE, 2 * PAGE},
        {0, (4L << 20) + PAGE},
        {0, 1L << 62},
        {0, Long.MAX_VALUE & -PAGE},
        {-PAGE, PAGE},
        {-PAGE, 2 * PAGE},
        {Long.MIN_VALUE, PAGE},
        {bar, PAGE},
        {0, 0},
      };
      for (long[] range : wrong) {
        for (Kind kind : Kind.values()) {
          assertThat(guest.ask(new GuestAsk.Convert(range[0], range[1], kind)))
              .as("0x%x, 0x%x bytes, %s", range[0], range[1], kind)
              .isNotZero();
        }
      }
      assertThat(assignment.ledger().rows()).isEqualTo(rows);
      assertThat(guest.ask(new GuestAsk.Convert(0, 4L << 20, Kind.SHARED))).as("all").isZero();
      assertThat(guest.ask(new GuestAsk.Convert(0, 4L << 20, Kind.PRIVATE))).as("all").isZero();
    }
    life.kernel.close();
  }

  /** At what point of its life a guest dies. */
  enum At {
    SHARED,
    SPLIT,
    RUNNING,
    ERROR;

    private void reach(Life life, TdiAssignment assignment) {
      assignment.assign();
      if (this != SHARED) {
        assignment.bind();
      }
      if (this == RUNNING) {
        assignment.start();
      }
      if (this == ERROR) {
        life.kernel.tsm().fail(Life.ENDPOINT.toString());
        assignment.refresh();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(At.class)
  void aGuestThatDiesLeavesNothing(At point) {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.assignment()) {
      point.reach(life, assignment);
      life.told.tell(new GuestStep.Terminate());
      MockGuest guest = life.guest(assignment);
      assertThat(guest.read(0, Long.BYTES, Kind.PRIVATE).reached()).isFalse();
      assertThat(assignment.ledger().problems()).isEmpty();
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  /** Time and again, since two threads meet at another point each time. */
  @Test
  void aGuestThatRunsWhenItsDeviceIsGivenBackLosesItBetweenTwoRuns() throws Exception {
    for (int i = 0; i < 50; i++) {
      Life life = new Life(Platform.TDX, Profile.SEED_2025);
      Holdings before = life.holdings();
      TdiAssignment assignment = life.assignment();
      assignment.assign();
      CountDownLatch hasRun = new CountDownLatch(1);
      Future<?> guest =
          CompletableFuture.runAsync(() -> {
            while (true) {
              assignment.runGuest();
              hasRun.countDown();
            }
          });
      assertThat(hasRun.await(30, TimeUnit.SECONDS)).isTrue();
      assignment.unassign();
      assertThatThrownBy(guest::get)
          .rootCause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is not assigned");
      assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
      assertThat(life.holdings()).isEqualTo(before);
      life.kernel.close();
    }
  }

  /**
   * The bind fails, and so does the way back, so that the VM is gone when the guest is answered.
   */
  @Test
  void aBindThatEndsTheAssignmentDoesNotAnswerAGuestThatIsGone() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Holdings before = life.holdings();
    AtomicBoolean armed = new AtomicBoolean();
    Calls export = call -> armed.get() && call.toString().equals("VFIO_DEVICE_FEATURE");
    Faults faults = Faults.none();
    for (int i = 1; i < 20; i++) {
      faults = faults.fail(export, i, Errno.ENOMEM, Faults.When.BEFORE);
    }
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    assignment.assign();
    armed.set(true);
    AtomicLong answer = new AtomicLong(1);
    life.told.tell(new GuestStep.Leave(TsmExits.bind(Life.VIRTUAL_BDF, answer::set)));
    assertThatThrownBy(assignment::runGuest)
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
    assertThat(answer).as("the guest never got an answer").hasValue(1);
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }
}
