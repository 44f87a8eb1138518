package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurement;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.tsm.TsmErrors;
import dev.iolite.pci.Pci;
import dev.iolite.pci.Tsm;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.tdi.evidence.MalformedMeasurementsException;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.guest.GuestRoom;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tsm.Profile;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The measurements of an assigned device, for its guest and for its host. */
class EvidenceTest {
  private static final long ROOM = 0x2000;
  private static final long PAGE = 4096;

  private static byte[] nonce(int fill) {
    byte[] nonce = new byte[Measurements.NONCE_BYTES];
    Arrays.fill(nonce, (byte) fill);
    return nonce;
  }

  private static byte[] expected(int fill) {
    return DeviceMeasurements.usual().message(nonce(fill));
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,SEED_2025", "TDX,ARM_V5", "SEV,CCA_V7"})
  void theGuestsAreMadeForItsNonceAndTheHostsForTheHosts(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      GuestRoom room = new GuestRoom(guest, ROOM);
      assignment.assign();
      assignment.bind();
      assertThat(guest.ask(new GuestAsk.Convert(ROOM, PAGE, Kind.SHARED))).isZero();
      for (int fill = 1; fill < 4; fill++) {
        room.write(nonce(fill));
        long bytes = guest.ask(new GuestAsk.ReadMeasurements(ROOM, PAGE));
        assertThat(room.read((int) bytes)).isEqualTo(expected(fill));
        assertThat(assignment.measurements(nonce(-fill))).isEqualTo(expected(-fill));
      }
      assertThat(life.steps.stream().map(Step::kind))
          .as("the host's are steps, the guest's are not")
          .filteredOn(kind -> kind == TdiStep.READ_MEASUREMENTS)
          .hasSize(3);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "TDX,ARM_V5", "SEV,CCA_V7"})
  void theyAreThereWheneverTheInterfaceIsBound(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assertRefused(assignment, "the assignment is unassigned");
      assignment.assign();
      assertRefused(assignment, "the assignment is shared");
      assignment.bind();
      assertThat(assignment.measurements(nonce(1))).isEqualTo(expected(1));
      assignment.start();
      assertThat(assignment.measurements(nonce(2))).isEqualTo(expected(2));
      life.kernel.tsm().fail(Life.ENDPOINT.toString());
      assertThat(assignment.refresh()).isEqualTo(State.ERROR);
      assertThat(assignment.measurements(nonce(3))).isEqualTo(expected(3));
      assignment.unbind();
      assertRefused(assignment, "the assignment is shared");
      assignment.bind();
      life.kernel.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, true);
      assertThatThrownBy(assignment::start).isInstanceOf(TsmCallException.class);
      assertRefused(assignment, "the assignment is quarantined");
      assertThat(life.guest(assignment).ask(new GuestAsk.ReadMeasurements(ROOM, PAGE)))
          .isEqualTo(Errno.ENXIO.negated());
    }
    life.kernel.close();
  }

  private static void assertRefused(TdiAssignment assignment, String said) {
    assertThatThrownBy(() -> assignment.measurements(nonce(0)))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("read the measurements of " + Life.ENDPOINT)
        .hasMessageContaining(said);
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"V6", "INTEL_RFC_2025", "MAINLINE_7_3"})
  void aProposalWithoutACallForThemSaysSoBeforeAnyIsMade(Profile profile) {
    Life life = new Life(Platform.TDX, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertRefused(assignment, "the kernel has no call for it (UAPI profile " + profile + ")");
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    life.kernel.close();
  }

  @Test
  void aRefusalOfTheTsmChangesNothing() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      var rows = assignment.ledger().rows();
      life.kernel.tsm().failNext(TsmErrors.Operation.MEASUREMENTS, Errno.EIO, false);
      assertThatThrownBy(() -> assignment.measurements(nonce(1)))
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE));
      MockGuest guest = life.guest(assignment);
      assertThat(guest.ask(new GuestAsk.Convert(ROOM, PAGE, Kind.SHARED))).isZero();
      life.kernel.tsm().failNext(TsmErrors.Operation.MEASUREMENTS, Errno.ETIMEDOUT, false);
      assertThat(guest.ask(new GuestAsk.ReadMeasurements(ROOM, PAGE)))
          .isEqualTo(Errno.ETIMEDOUT.negated());
      assertThat(life.remarks).last().asString().contains("read the device's measurements");
      assertThat(guest.ask(new GuestAsk.Convert(ROOM, PAGE, Kind.PRIVATE))).isZero();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
      assertThat(assignment.ledger().rows()).isEqualTo(rows);
    }
    life.kernel.close();
  }

  @Test
  void aTsmThatIsDisconnectedBehindOurBackIsNoticed() {
    Life life = new Life(Platform.SEV, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      new Tsm(life.kernel).disconnect(new Pci(life.kernel).device(Life.ENDPOINT), "tsm0");
      assertThatThrownBy(() -> assignment.measurements(nonce(1)))
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.kernel().errno()).isEqualTo(Errno.ENXIO));
      assertThat(assignment.state()).isEqualTo(State.ERROR);
      assertThat(assignment.ledger().problems()).isEmpty();
    }
    life.kernel.close();
  }

  /** The index 0 is nobody's; the guest's copy is the guest's to judge. */
  @Test
  void aMalformedMessageEndsAWalkAndNothingIsHeld() {
    var wrong =
        new DeviceMeasurement(0, DeviceMeasurement.ROM, MemorySegment.ofArray(new byte[48]));
    Life life =
        new Life(
            Platform.TDX, Profile.SEED_2025, TdispEndpoint.measuring(DeviceMeasurements.of(wrong)));
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.assignment()) {
      Walkthrough walk = new Walkthrough(assignment, life.guest(assignment), _ -> {});
      assertThatThrownBy(walk::run)
          .isInstanceOf(MalformedMeasurementsException.class)
          .hasMessage(
              "MEASUREMENTS message, byte 8: index 0; measurements have the indices 1 to 254");
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }
}
