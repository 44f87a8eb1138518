package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.steps.UndoOrder;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link SweepTest}, on the lab's kernel seed-2025, whose TSM fails too. */
@Tag("seed")
class SeedSweepLabTest {
  @TempDir private Path directory;

  private final TsmSim tsm = new TsmSim(SeedLife.IVSHMEM);
  private final SeedLife life = new SeedLife();
  private final Holdings before = life.holdings();

  @AfterEach
  void nothingGoesWrongAnyMore() {
    tsm.close();
  }

  private Sweep sweep() {
    return new Sweep(SeedLife::new, directory);
  }

  private static List<Errno> firstErrno(Calls.Call call) {
    return Errnos.of(call).subList(0, 1);
  }

  @Test
  void whicheverCallIsNotMadeNothingIsHeld() {
    Sweep sweep = sweep();
    sweep.run(
        "calls that are not made",
        sweep.failing(Calls.thatWork(), SeedSweepLabTest::firstErrno, List.of(Faults.When.BEFORE)));
  }

  @Test
  void whicheverUndoFailsNothingIsHeld() {
    Sweep sweep = sweep();
    sweep.run("undos", sweep.failingUndos(List.of(Errno.EIO)));
  }

  /** From the bind on: an interface that is not bound can't fail. */
  @ParameterizedTest
  @ValueSource(strings = {"error", "link_lost", "eintr"})
  void wheneverTheTsmFailsNothingIsHeld(String fault) {
    Sweep sweep =
        new Sweep(
            () -> {
              // What nothing met in the life before this one.
              tsm.close();
              return new SeedLife();
            },
            directory);
    List<Sweep.Point> points =
        sweep.before(Calls.of(IommufdIoctls.IOMMU_VDEVICE_ALLOC), () -> tsm.set(fault, 1));
    sweep.run("before each call " + fault, points);
  }

  private void assertAsBefore() {
    assertThat(life.holdings()).isEqualTo(before);
    life.requireFree("afterwards");
    UndoOrder.check(life.steps);
    tsm.close();
    life.live(life.assignment());
    assertThat(life.holdings()).isEqualTo(before);
  }

  /** What is MAYBE_DONE is quarantined, what is NOT_DONE is shared again. */
  @ParameterizedTest
  @CsvSource({
    "1, EIO", "2, EIO", "3, EIO", "4, EIO", "5, EIO", //
    "1, ENXIO", "2, ENXIO", "3, ENXIO", "4, ENXIO", "5, ENXIO"
  })
  void aBindThatFailsAtAStageLeavesTheInterfaceFree(int stage, Errno errno) {
    tsm.set("bind_fail", stage);
    tsm.set("bind_errno", -errno.negated());
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertThatThrownBy(assignment::bind)
          .isInstanceOf(TsmCallException.class)
          .hasMessageContainingAll("IOMMU_VDEVICE_TSM_OP", errno.toString());
      assertThat(assignment.state())
          .isEqualTo(errno == Errno.EIO ? State.QUARANTINED : State.SHARED);
      assertThat(tsm.state()).isEqualTo("CONFIG_UNLOCKED");
      tsm.close();
      if (assignment.state() == State.QUARANTINED) {
        assignment.endQuarantine();
      }
      assignment.bind();
      assignment.start();
      assertThat(tsm.state()).isEqualTo("RUN");
    }
    assertAsBefore();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aReportThatIsWrongIsNoneToBindBy(int fault) {
    tsm.set("report_fault", fault);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertThatThrownBy(assignment::bind)
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE))
          .hasMessageContainingAll("IOMMU_VDEVICE_TSM_OP", "EINVAL");
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    assertAsBefore();
  }

  @Test
  void aReportWithoutTeeMemoryLeavesAllOfItShared() {
    tsm.set("report_fault", 4);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      assertThat(assignment.plan().orElseThrow().slots())
          .noneMatch(slot -> slot.kind() == Kind.PRIVATE);
      assignment.start();
      assignment.unbind();
    }
    assertAsBefore();
  }

  @Test
  void aSlowTsmIsWaitedFor() {
    tsm.set("delay_ms", 20);
    life.live(life.assignment());
    assertAsBefore();
  }

  /** Signals reach a call of the TSM that would take a minute. */
  @Test
  void aBindThatASignalEndsMayHaveBeenDone() {
    tsm.set("delay_ms", 60_000);
    TdiAssignment assignment = new TdiAssignment(life.options(new Signalled(life.kernel())));
    try (assignment) {
      assignment.assign();
      assertThatThrownBy(assignment::bind)
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.MAYBE_DONE))
          .hasMessageContainingAll("IOMMU_VDEVICE_TSM_OP", "EINTR");
      assertThat(assignment.state()).isEqualTo(State.QUARANTINED);
      tsm.close();
    }
    assertThat(life.steps)
        .filteredOn(step -> !step.succeeded())
        .extracting(Step::kind)
        .containsExactly(TdiStep.BIND);
    assertAsBefore();
  }

  /** Sends signals to the thread that makes a call of the TSM, until that is over. */
  private static final class Signalled extends ForwardingKernel {
    Signalled(Kernel inner) {
      super(inner);
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      if (request != TsmSeed2025.IOMMU_VDEVICE_TSM_OP()) {
        return super.ioctl(fd, request, argument);
      }
      int thread = interruptible();
      AtomicBoolean isOver = new AtomicBoolean();
      Thread sender =
          Thread.ofPlatform()
              .start(() -> {
                while (!isOver.get()) {
                  interrupt(thread);
                  Thread.onSpinWait();
                }
              });
      try {
        return super.ioctl(fd, request, argument);
      } finally {
        isOver.set(true);
        join(sender);
      }
    }

    private static void join(Thread sender) {
      try {
        sender.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
