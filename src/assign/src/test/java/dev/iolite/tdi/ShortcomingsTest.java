package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kvm.VmType;
import dev.iolite.mock.Platform;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a user is told that a host lacks for the private half. */
class ShortcomingsTest {
  private static final String NO_RUNS =
      "Nothing tells a VMM which bytes of a BAR are private (step 4).";
  private static final String NO_SLOT = "KVM has no slot for private MMIO (step 6)";

  private static List<String> of(Platform platform, Profile profile, VmType type) {
    try (Life life = new Life(platform, profile)) {
      return Shortcomings.of(life.kernel, Life.ENDPOINT, UapiProfile.of(profile, Arch.TDX), type);
    }
  }

  @Test
  void aHostThatHasAllLacksNothing() {
    assertThat(of(Platform.TDX, Profile.SEED_2025, VmType.TDX)).isEmpty();
  }

  @Test
  void mainlineLacksEachCall() {
    assertThat(of(Platform.TDX, Profile.MAINLINE_7_3, VmType.TDX))
        .containsExactly(
            "The kernel has no call that binds a TDI (step 3).",
            NO_RUNS,
            "Nothing lets a VMM read the device's measurements for its guest.",
            "VFIO makes no private dma-buf (step 4).",
            NO_SLOT + ".");
  }

  /** All but v6 have a report or list the runs of a dma-buf. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"ARM_V5", "V6", "CCA_V7", "INTEL_RFC_2025", "SEED_2025"})
  void oneWayToLearnWhatIsPrivateIsEnough(Profile profile) {
    List<String> missing = of(Platform.TDX, profile, VmType.TDX);
    assertThat(missing.contains(NO_RUNS)).isEqualTo(profile == Profile.V6);
  }

  /** arm-v5 validates nothing, either. */
  @Test
  void whereTheGuestValidatesItsMmioTheTsmMapsIt() {
    assertThat(of(Platform.TDX, Profile.CCA_V7, VmType.TDX))
        .contains(NO_SLOT + ": the TSM maps what the guest validates.");
    assertThat(of(Platform.TDX, Profile.ARM_V5, VmType.TDX)).contains(NO_SLOT + ".");
  }

  @Test
  void aPlainVmNeedsAHostThatMakesConfidentialOnes() {
    assertThat(of(Platform.PLAIN, Profile.SEED_2025, VmType.DEFAULT))
        .first()
        .asString()
        .startsWith("KVM can make no confidential VM");
    assertThat(of(Platform.PLAIN, Profile.SEED_2025, VmType.SW_PROTECTED))
        .noneMatch(lack -> lack.startsWith("KVM can make no"));
  }
}
