package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tsm.Profile;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the kernel revokes is noticed, closed, and opened again where it may be. */
class RevocationTest {
  private static Stream<Arguments> all() {
    return Life.binding()
        .flatMap(binding ->
            Stream.of(Revocation.values())
                // That proposal has no call by which a VMM could learn of it.
                .filter(c ->
                    binding.get()[1] != Profile.V6
                        || (c != Revocation.LINK_LOST && c != Revocation.SIBLINGS_HOT_RESET))
                .map(cause -> Arguments.of(binding.get()[0], binding.get()[1], cause)));
  }

  private static void assertAllReachable(Life life, TdiAssignment assignment) {
    MockGuest guest = life.guest(assignment);
    Map<Integer, Long> bars = assignment.barAddresses();
    assertThat(bars).containsOnlyKeys(0, 2, 4);
    bars.forEach((bar, gpa) -> {
      assertThat(guest.read(gpa, Long.BYTES, Kind.SHARED).reached()).as("BAR %d", bar).isTrue();
      assertThat(life.deviceReads(gpa)).as("DMA to BAR %d", bar).isTrue();
    });
    assertThat(assignment.ledger().problems()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Revocation.class,
      names = {"LINK_LOST", "DISCONNECTED", "SIBLINGS_HOT_RESET"},
      mode = EnumSource.Mode.EXCLUDE)
  void sharedBarsAreMappedAnewSinceNoRevokedMapComesBack(Revocation cause) {
    Life life = cause.life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      cause.happen(life, assignment);
      assertThat(assignment.ledger().problems()).isEmpty();
      cause.mend(life, assignment);
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertAllReachable(life, assignment);
      assignment.bind();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("all")
  void aBoundInterfaceFailsAndIsUnboundAndBoundAgain(
      Platform platform, Profile profile, Revocation cause) {
    Life life = cause.life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      assignment.start();

      cause.happen(life, assignment);
      State state = cause.isSeen() ? assignment.state() : assignment.refresh();
      assertThat(state).isEqualTo(State.ERROR);
      assertThat(life.openDmaBufs()).isZero();
      assertThat(life.hostMappings()).isZero();
      assertThat(assignment.barAddresses()).isEmpty();
      assertThat(assignment.ledger().problems()).isEmpty();

      cause.mend(life, assignment);
      assignment.unbind();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.tdi()).isEmpty();
      assertAllReachable(life, assignment);
      assignment.bind();
      assignment.start();
      assertThat(assignment.state()).isEqualTo(State.RUNNING);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(Revocation.class)
  void aFailedInterfaceCanBeBoundAtOnce(Revocation cause) {
    Life life = cause.life(Platform.SEV, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      cause.happen(life, assignment);
      assertThat(assignment.refresh()).isEqualTo(State.ERROR);
      cause.mend(life, assignment);
      assignment.bind();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Revocation.class,
      names = {"LINK_LOST", "DISCONNECTED", "SIBLINGS_HOT_RESET"})
  void theGuestsNextAccessNoticesWhatHappenedBehindOurBack(Revocation cause) {
    Life life = cause.life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assignment.bind();
      assignment.start();
      long bar = Life.bar(assignment, 0);
      cause.happen(life, assignment);
      assertThat(guest.read(bar, Long.BYTES, Kind.PRIVATE).reached()).isFalse();
      assertThat(assignment.state()).isEqualTo(State.ERROR);
      assertThat(life.openDmaBufs()).isZero();
    }
    life.kernel.close();
  }

  @Test
  void slotsAndMapsFollowABarThatTheGuestMoves() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      long before = Life.bar(assignment, 4);
      guest.writeConfig(Life.VIRTUAL_BDF, 0x20, (int) before + 0x10_0000);
      assertThat(assignment.barAddresses()).containsEntry(4, before + 0x10_0000);
      assertThat(guest.read(before, Long.BYTES, Kind.SHARED)).isEqualTo(new GuestAnswer.NoSlot());
      assertThat(life.deviceReads(before)).isFalse();
      assertAllReachable(life, assignment);
    }
    life.kernel.close();
  }

  /** As firmware and Linux do it: all ones, to see the size, then the address again. */
  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void aGuestThatSizesItsBarsWithDecodeOnKeepsItsDevice(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      Map<Integer, Long> places = assignment.barAddresses();
      for (int register = 0x10; register <= 0x24; register += 4) {
        int was = guest.readConfig(Life.VIRTUAL_BDF, register);
        guest.writeConfig(Life.VIRTUAL_BDF, register, -1);
        guest.writeConfig(Life.VIRTUAL_BDF, register, was);
      }
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(assignment.barAddresses()).isEqualTo(places);
      assertAllReachable(life, assignment);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void aBarOverTheGuestsRamIsNotMappedAndTheDeviceStays(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      long before = Life.bar(assignment, 4);
      guest.writeConfig(Life.VIRTUAL_BDF, 0x20, 0x10_0000);
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.deviceReads(0x10_0000)).isFalse();
      assertThat(life.remarks).anyMatch(remark -> remark.contains("0x100000"));
      guest.writeConfig(Life.VIRTUAL_BDF, 0x20, (int) before);
      assertAllReachable(life, assignment);
    }
    life.kernel.close();
  }

  @Test
  void aSleepingDeviceIsNotBoundAndSleepsOnlyOnce() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertThat(assignment.enterLowPower()).isTrue();
      assertThat(assignment.enterLowPower()).as("again").isTrue();
      assertThat(assignment.barAddresses()).isEmpty();
      assertThatThrownBy(assignment::bind)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("Next: wake it");
      assertThat(assignment.reset()).isTrue();
      assertThat(assignment.barAddresses()).as("still asleep").isEmpty();
      assignment.leaveLowPower();
      assertAllReachable(life, assignment);
    }
    life.kernel.close();
  }

  /** A kernel with a proposal need not have the sysfs attribute that 7.3 has. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"MAINLINE_7_3"},
      mode = EnumSource.Mode.EXCLUDE)
  void aKernelThatDoesNotTellWhatIsBoundIsNotTakenToHaveUnbound(Profile profile) {
    Life life = new Life(Platform.TDX, profile);
    Faults none =
        Faults.none()
            .failAll(call -> call.path().endsWith("/tsm/bound"), Errno.ENOENT, Faults.When.BEFORE);
    FaultyKernel without = new FaultyKernel(life.kernel, life.ioctls(), none);
    try (TdiAssignment assignment = new TdiAssignment(life.options(without))) {
      assignment.assign();
      assignment.bind();
      assertThat(assignment.refresh()).isEqualTo(State.SPLIT);
      assignment.start();
      assertThat(assignment.refresh()).isEqualTo(State.RUNNING);
      life.kernel.tsm().fail(Life.ENDPOINT.toString());
      boolean asks =
          assignment.usedProfile().orElseThrow().operations().contains(TsmOperation.READ_REPORT);
      assertThat(assignment.refresh()).isEqualTo(asks ? State.ERROR : State.RUNNING);
      assignment.unbind();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.tdi()).isEmpty();
    }
    life.kernel.close();
  }
}
