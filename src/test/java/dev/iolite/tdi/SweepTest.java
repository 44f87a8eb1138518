package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.Profile;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.steps.UndoOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whichever call fails, with whichever errno, before or after its effect: nothing is left. */
class SweepTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,SEED_2025", "TDX,INTEL_RFC_2025", "SEV,V6", "TDX,CCA_V7"})
  void whicheverCallFailsNothingIsHeldAndTheFailedStepIsNamed(Platform platform, Profile profile) {
    List<Calls.Call> calls = callsOfALife(platform, profile);
    int points = 0;
    List<String> wrong = new ArrayList<>();
    for (int nth = 1; nth <= calls.size(); nth++) {
      List<Errno> errnos = Errnos.of(calls.get(nth - 1));
      for (Errno errno : profile == Profile.SEED_2025 ? errnos : errnos.subList(0, 1)) {
        for (Faults.When moment : Faults.When.values()) {
          try {
            failOnce(platform, profile, nth, errno, moment);
          } catch (AssertionError e) {
            wrong.add(String.valueOf(e.getMessage()));
          }
          points++;
        }
      }
    }
    System.out.printf(
        "%s, %s: %d calls, %d points swept%n", platform, profile, calls.size(), points);
    assertThat(wrong).isEmpty();
    assertThat(calls).hasSizeGreaterThan(100);
  }

  private static List<Calls.Call> callsOfALife(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    List<Calls.Call> calls = new ArrayList<>();
    Calls recorded =
        call -> {
          if (Calls.thatWork().include(call)) {
            calls.add(call);
          }
          return false;
        };
    Faults none = Faults.none().fail(recorded, 1, Errno.EIO, Faults.When.BEFORE);
    life.live(new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), none))));
    life.kernel.close();
    return calls;
  }

  private void failOnce(
      Platform platform, Profile profile, int nth, Errno errno, Faults.When moment) {
    Life life = new Life(platform, profile);
    Holdings before = Holdings.of(life.kernel, Life.ENDPOINT);
    FaultyKernel failing =
        new FaultyKernel(
            life.kernel, life.ioctls(), Faults.none().fail(Calls.thatWork(), nth, errno, moment));
    TdiAssignment assignment =
        new TdiAssignment(
            life.options(failing).withJournal(() -> Journal.open(directory, Life.ENDPOINT)));
    RuntimeException thrown = null;
    try {
      life.live(assignment);
    } catch (RuntimeException e) {
      thrown = e;
    }
    String point = "call %d: %s".formatted(nth, failing.injected());
    if (!before.equals(Holdings.of(life.kernel, Life.ENDPOINT))) {
      new Recovery(life.kernel, directory, Life.ENDPOINT, AssignmentListener.none()).run();
    }
    assertThat(Holdings.of(life.kernel, Life.ENDPOINT)).as(point).isEqualTo(before);
    assertThat(assignment.state()).as(point).isEqualTo(State.UNASSIGNED);
    try {
      UndoOrder.check(life.steps);
    } catch (AssertionError e) {
      throw new AssertionError(point + ": " + e.getMessage(), e);
    }
    if (thrown != null) {
      assertThat(life.steps.stream().filter(step -> !step.succeeded()).map(Step::name))
          .as(point + ", told: " + thrown)
          .isNotEmpty();
    }
    life.kernel.close();
  }
}
