package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.steps.UndoOrder;
import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Lives in each of which one thing goes wrong; afterwards nothing is held and all works again. */
final class Sweep {
  private final Supplier<? extends DeviceLife> lives;
  private final Journals journals;

  /**
   * Prepares one.
   *
   * @param lives a life each, on a kernel of its own or all on one: each life gets as far as the
   *     one before it, and the last one, in which nothing goes wrong, to the end
   * @param journals the directory of the assignments' journals
   */
  Sweep(Supplier<? extends DeviceLife> lives, Path journals) {
    this.lives = lives;
    this.journals = new Journals(journals);
  }

  /** One thing that goes wrong, once, in a life. */
  @FunctionalInterface
  interface Point {
    Faults faults();
  }

  /** Each of these calls of a life fails, with each of its errnos, at each of these moments. */
  List<Point> failing(
      Calls swept, Function<Calls.Call, List<Errno>> errnos, List<Faults.When> moments) {
    List<Calls.Call> calls = calls(swept);
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < calls.size(); i++) {
      int nth = i + 1;
      for (Errno errno : errnos.apply(calls.get(i))) {
        for (Faults.When moment : moments) {
          points.add(() -> Faults.none().fail(swept, nth, errno, moment));
        }
      }
    }
    return points;
  }

  /** Each ioctl of a life that has no other success than 0 returns a positive number instead. */
  List<Point> answering(int number) {
    Calls onlyZero =
        call ->
            call.command()
                .filter(command -> command.result() instanceof Call.Result.Done)
                // The one that exports a dma-buf hands out the number as a descriptor.
                .filter(command -> !command.equals(VfioIoctls.VFIO_DEVICE_FEATURE))
                .isPresent();
    int calls = calls(onlyZero).size();
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      int nth = i + 1;
      points.add(() -> Faults.none().answer(onlyZero, nth, number));
    }
    return points;
  }

  /** A descriptor is gone whatever close(2) says; what munmap(2) refuses to unmap is mapped. */
  List<Point> failingUndos(List<Errno> ofClose) {
    List<Point> points = new ArrayList<>();
    points.addAll(failing(Calls.named("close"), _ -> ofClose, List.of(Faults.When.AFTER)));
    points.addAll(
        failing(Calls.named("munmap"), _ -> List.of(Errno.ENOMEM), List.of(Faults.When.BEFORE)));
    return points;
  }

  /** Something happens just before each call of a life, from the first of these on. */
  List<Point> before(Calls first, Runnable event) {
    List<Calls.Call> calls = calls(Calls.thatWork());
    int from = 0;
    while (!first.include(calls.get(from))) {
      from++;
    }
    List<Point> points = new ArrayList<>();
    for (int i = from; i < calls.size(); i++) {
      int nth = i + 1;
      points.add(() -> Faults.none().before(Calls.thatWork(), nth, event));
    }
    return points;
  }

  /** These calls of a life in which nothing goes wrong. */
  private List<Calls.Call> calls(Calls swept) {
    List<Calls.Call> calls = new ArrayList<>();
    Calls recorded =
        call -> {
          if (swept.include(call)) {
            calls.add(call);
          }
          return false;
        };
    try (DeviceLife life = lives.get()) {
      Faults none = Faults.none().fail(recorded, 1, Errno.EIO, Faults.When.BEFORE);
      life.live(
          new TdiAssignment(life.options(new FaultyKernel(life.kernel(), life.ioctls(), none))));
    }
    return calls;
  }

  /** Goes through all points and reports all that is wrong at the end. */
  void run(String what, List<Point> points) {
    List<String> wrong = new ArrayList<>();
    int met = 0;
    for (Point point : points) {
      try (DeviceLife life = lives.get()) {
        met += failOnce(life, point) ? 1 : 0;
      } catch (AssertionError e) {
        wrong.add(String.valueOf(e.getMessage()));
      }
    }
    System.out.printf("%s: %d points swept%n", what, met);
    assertThat(wrong).isEmpty();
    // A real kernel may take a call less now and then, so that there is no last one.
    assertThat(met).as("points that were reached").isGreaterThan(points.size() * 9 / 10);
    try (DeviceLife life = lives.get()) {
      life.live(journalled(life, life.options(life.kernel())));
    }
  }

  /** Whether the life has reached the point. */
  private boolean failOnce(DeviceLife life, Point point) {
    Holdings before = life.holdings();
    FaultyKernel failing = new FaultyKernel(life.kernel(), life.ioctls(), point.faults());
    TdiAssignment assignment = journalled(life, life.options(failing));
    Optional<RuntimeException> thrown = thrownBy(life, assignment);
    String where = failing.injected().toString();
    assertThat(life.holdings()).as(where).isEqualTo(before);
    life.requireFree(where);
    boolean couldNotAsk =
        life.steps.stream()
            .anyMatch(step -> step.kind().equals(TdiStep.ASK_WHETHER_BOUND) && !step.succeeded());
    assertThat(assignment.state())
        .as(where)
        .isEqualTo(couldNotAsk ? State.QUARANTINED : State.UNASSIGNED);
    try {
      UndoOrder.check(life.steps);
    } catch (AssertionError e) {
      throw new AssertionError(where + ": " + e.getMessage(), e);
    }
    // What is looked at before the first step fails by itself: nothing was begun.
    if (thrown.isPresent() && !life.steps.isEmpty() && !thrown.equals(life.guestFailure)) {
      assertThat(life.steps.stream().filter(step -> !step.succeeded()).map(Step::outcome))
          .as("%s, thrown: %s", where, thrown.get())
          .contains(thrown.get().getMessage());
    }
    recover(life);
    return !failing.injected().isEmpty();
  }

  private TdiAssignment journalled(DeviceLife life, AssignmentOptions options) {
    return new TdiAssignment(options.withJournal(() -> journals.begin(life.address)));
  }

  private static Optional<RuntimeException> thrownBy(DeviceLife life, TdiAssignment assignment) {
    try {
      life.live(assignment);
      return Optional.empty();
    } catch (RuntimeException e) {
      return Optional.of(e);
    }
  }

  /** An assignment that could not say whether all is released has left its journal. */
  private void recover(DeviceLife life) {
    if (Files.exists(journals.file(life.address))) {
      journals.recover(life.kernel(), life.address);
    }
  }
}
