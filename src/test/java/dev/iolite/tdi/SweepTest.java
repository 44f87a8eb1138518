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
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whichever call fails, with whichever errno, before or after its effect: nothing is left. */
class SweepTest {
  @TempDir private Path directory;

  /** One call, of those that are swept, and how it fails. */
  private record Point(Calls swept, int nth, Errno errno, Faults.When moment) {}

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
    Calls swept = Calls.thatWork();
    List<Calls.Call> calls = callsOfALife(platform, profile, swept);
    List<Point> points = new ArrayList<>();
    for (int nth = 1; nth <= calls.size(); nth++) {
      for (Errno errno : Errnos.of(calls.get(nth - 1))) {
        for (Faults.When moment : Faults.When.values()) {
          points.add(new Point(swept, nth, errno, moment));
        }
      }
    }
    sweep(platform, profile, "calls", points);
    assertThat(calls).hasSizeGreaterThan(100);
  }

  /** A descriptor is gone whatever close(2) says; what munmap(2) refuses to unmap is mapped. */
  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,V6"})
  void whicheverUndoFailsNothingIsHeld(Platform platform, Profile profile) {
    Calls swept = Calls.thatUndo();
    List<Calls.Call> calls = callsOfALife(platform, profile, swept);
    List<Point> points = new ArrayList<>();
    for (int nth = 1; nth <= calls.size(); nth++) {
      if (calls.get(nth - 1).name().equals("munmap")) {
        points.add(new Point(swept, nth, Errno.ENOMEM, Faults.When.BEFORE));
      } else {
        points.add(new Point(swept, nth, Errno.EIO, Faults.When.AFTER));
        points.add(new Point(swept, nth, Errno.EINTR, Faults.When.AFTER));
      }
    }
    sweep(platform, profile, "undos", points);
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025"})
  void whateverCantBeLookedAtNothingIsHeld(Platform platform, Profile profile) {
    Calls swept = Calls.thatLook();
    List<Calls.Call> calls = callsOfALife(platform, profile, swept);
    List<Point> points = new ArrayList<>();
    for (int nth = 1; nth <= calls.size(); nth++) {
      for (Errno errno : Errnos.ofLooking(calls.get(nth - 1))) {
        points.add(new Point(swept, nth, errno, Faults.When.BEFORE));
      }
    }
    sweep(platform, profile, "looks", points);
  }

  private void sweep(Platform platform, Profile profile, String what, List<Point> points) {
    // Each point has a kernel and a journal of its own.
    List<String> wrong =
        points.parallelStream()
            .flatMap(point -> whatIsWrong(platform, profile, point).stream())
            .toList();
    System.out.printf("%s, %s: %s, %d points swept%n", platform, profile, what, points.size());
    assertThat(wrong).isEmpty();
  }

  private Optional<String> whatIsWrong(Platform platform, Profile profile, Point point) {
    try {
      failOnce(platform, profile, point);
      return Optional.empty();
    } catch (AssertionError e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static List<Calls.Call> callsOfALife(Platform platform, Profile profile, Calls swept) {
    Life life = new Life(platform, profile);
    List<Calls.Call> calls = new ArrayList<>();
    Calls recorded =
        call -> {
          if (swept.include(call)) {
            calls.add(call);
          }
          return false;
        };
    Faults none = Faults.none().fail(recorded, 1, Errno.EIO, Faults.When.BEFORE);
    life.live(new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), none))));
    life.kernel.close();
    return calls;
  }

  private void failOnce(Platform platform, Profile profile, Point at) {
    Path journals = directory.resolve(at.moment + "-" + at.nth + "-" + at.errno);
    Life life = new Life(platform, profile);
    Holdings before = Holdings.of(life.kernel, Life.ENDPOINT);
    FaultyKernel failing =
        new FaultyKernel(
            life.kernel, life.ioctls(), Faults.none().fail(at.swept, at.nth, at.errno, at.moment));
    TdiAssignment assignment =
        new TdiAssignment(
            life.options(failing).withJournal(() -> Journal.open(journals, Life.ENDPOINT)));
    RuntimeException thrown = null;
    try {
      life.live(assignment);
    } catch (RuntimeException e) {
      thrown = e;
    }
    String point = "call %d: %s".formatted(at.nth, failing.injected());
    assertThat(Holdings.of(life.kernel, Life.ENDPOINT)).as(point).isEqualTo(before);
    boolean couldNotAsk =
        life.steps.stream()
            .anyMatch(step -> step.kind().equals(TdiStep.ASK_WHETHER_BOUND) && !step.succeeded());
    assertThat(assignment.state())
        .as(point)
        .isEqualTo(couldNotAsk ? State.QUARANTINED : State.UNASSIGNED);
    try {
      UndoOrder.check(life.steps);
    } catch (AssertionError e) {
      throw new AssertionError(point + ": " + e.getMessage(), e);
    }
    // What is looked at before the first step fails by itself: nothing was begun.
    if (thrown != null && !life.steps.isEmpty()) {
      assertThat(life.steps.stream().filter(step -> !step.succeeded()).map(Step::outcome))
          .as(point + ", told: " + thrown)
          .contains(thrown.getMessage());
    }
    life.kernel.close();
  }
}
