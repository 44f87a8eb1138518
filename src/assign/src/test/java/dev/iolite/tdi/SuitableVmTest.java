package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kvm.VmType;
import dev.iolite.mock.Platform;
import dev.iolite.tsm.Profile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The type of the guest's VM for a user who has not chosen one. */
class SuitableVmTest {
  @ParameterizedTest
  @CsvSource({
    "PLAIN,SEED_2025,SW_PROTECTED",
    // There is no TSM.
    "PLAIN,CCA_V7,DEFAULT",
    // There is no call that binds.
    "PLAIN,MAINLINE_7_3,DEFAULT",
    // The user has a choice.
    "TDX,SEED_2025,DEFAULT",
    "SEV,SEED_2025,DEFAULT"
  })
  void softwareProtectsItWhereNothingElseCanAndAnInterfaceCanBeBound(
      Platform platform, Profile profile, VmType type) {
    try (Life life = new Life(platform, profile)) {
      assertThat(SuitableVm.of(life.kernel, Life.ENDPOINT)).isEqualTo(type);
    }
  }
}
