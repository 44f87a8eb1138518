package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.mock.Profile;
import dev.iolite.steps.Holdings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The whole life as tdi assign makes it, with a guest that is told what to do and with one that is
 * not.
 */
class WalkthroughTest {
  private final List<Check> checks = new ArrayList<>();

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void allChecksAreInOrderUnderEachProposal(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    Holdings before = Holdings.of(life.kernel, Life.ENDPOINT);
    try (TdiAssignment assignment = life.assignment()) {
      assertThat(new Walkthrough(assignment, life.guest(assignment), checks::add).run()).isTrue();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    assertThat(checks).hasSizeGreaterThan(10).allMatch(Check::isSo);
    assertThat(checks.stream().map(Check::what))
        .filteredOn(what -> what.equals("the device measures the same for guest and host"))
        .hasSize(profile == Profile.V6 || profile == Profile.INTEL_RFC_2025 ? 0 : 1);
    assertThat(life.states).containsSubsequence(State.SPLIT, State.RUNNING, State.SHARED);
    assertThat(Holdings.of(life.kernel, Life.ENDPOINT)).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,CCA_V7"})
  void aSilentGuestIsBoundForAndUnboundFor(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assertThat(new Walkthrough(assignment, new SilentGuest(assignment), checks::add).run())
          .isTrue();
    }
    assertThat(checks)
        .extracting(Check::what)
        .contains("the host does not reach BAR0+0x0 (private)");
    assertThat(checks).allMatch(Check::isSo);
    assertThat(life.states).containsSubsequence(State.SPLIT, State.RUNNING, State.SHARED);
  }

  @ParameterizedTest
  @CsvSource({"TDX", "SEV"})
  void onAMainlineKernelASilentGuestsDeviceIsCutOffAndComesBack(Platform platform) {
    Life life = new Life(platform, Profile.MAINLINE_7_3);
    try (TdiAssignment assignment = life.assignment()) {
      assertThat(new Walkthrough(assignment, new SilentGuest(assignment), checks::add).run())
          .isFalse();
    }
    assertThat(checks).allMatch(Check::isSo);
    assertThat(life.stages).contains(Stage.RECOVER);
  }
}
