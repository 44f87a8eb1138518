package dev.iolite.tdi;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.Platform;
import dev.iolite.tsm.Profile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whichever call fails, with whichever errno, before or after its effect: nothing is left. */
class SweepTest {
  @TempDir private Path directory;

  private Sweep sweep(Platform platform, Profile profile) {
    return new Sweep(() -> new Life(platform, profile), directory);
  }

  private static String named(Platform platform, Profile profile, String what) {
    return "%s, %s, %s".formatted(platform, profile, what);
  }

  @ParameterizedTest
  @CsvSource({
    "TDX,SEED_2025",
    "SEV,SEED_2025",
    "TDX,INTEL_RFC_2025",
    "TDX,ARM_V5",
    "SEV,V6",
    "TDX,CCA_V7"
  })
  void whicheverCallFailsNothingIsHeldAndTheFailedStepIsNamed(Platform platform, Profile profile) {
    Sweep sweep = sweep(platform, profile);
    sweep.run(
        named(platform, profile, "calls"),
        sweep.failing(Calls.thatWork(), Errnos::of, List.of(Faults.When.values())));
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,V6", "TDX,INTEL_RFC_2025"})
  void whicheverCallReturnsANumberThatItDoesNotHaveNothingIsHeld(
      Platform platform, Profile profile) {
    Sweep sweep = sweep(platform, profile);
    sweep.run(named(platform, profile, "numbers"), sweep.answering(1));
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,V6"})
  void whicheverUndoFailsNothingIsHeld(Platform platform, Profile profile) {
    Sweep sweep = sweep(platform, profile);
    sweep.run(
        named(platform, profile, "undos"), sweep.failingUndos(List.of(Errno.EIO, Errno.EINTR)));
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025"})
  void whateverCantBeLookedAtNothingIsHeld(Platform platform, Profile profile) {
    Sweep sweep = sweep(platform, profile);
    sweep.run(
        named(platform, profile, "looks"),
        sweep.failing(Calls.thatLook(), Errnos::ofLooking, List.of(Faults.When.BEFORE)));
  }
}
