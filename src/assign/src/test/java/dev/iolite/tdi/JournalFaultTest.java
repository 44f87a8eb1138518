package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.steps.UndoOrder;
import dev.iolite.tsm.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that fails under the journal, at each of its changes: no step that was done fails, no undo
 * is made twice, everything is given back, and the errno is named.
 */
class JournalFaultTest {
  @TempDir private Path directory;

  private static Life life() {
    return new Life(
        Platform.TDX,
        Profile.SEED_2025,
        TdispEndpoint.model(),
        machine -> machine.driver(Life.ENDPOINT.toString(), "accel"));
  }

  /** Closes what the test itself has open, even if the journal can't be deleted. */
  private static Optional<RuntimeException> live(Life life, Journals journals) {
    try {
      life.live(
          new TdiAssignment(
              life.options(life.kernel).withJournal(() -> journals.begin(Life.ENDPOINT))));
      return Optional.empty();
    } catch (RuntimeException e) {
      return Optional.of(e);
    }
  }

  /** Each errno at each change; or one at each change, and at those after it. */
  static List<Arguments> faults() {
    return List.of(
        Arguments.of(List.of(Errno.ENOSPC), false),
        Arguments.of(List.of(Errno.EIO), false),
        Arguments.of(List.of(Errno.EROFS), false),
        Arguments.of(List.of(Errno.EDQUOT), false),
        Arguments.of(List.of(Errno.ENOSPC, Errno.EIO, Errno.EROFS, Errno.EDQUOT), true));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void atEachChangeAllIsGivenBackOnceAndTheErrnoIsNamed(List<Errno> errnos, boolean isForGood) {
    int changes = changes();
    assertThat(changes).isGreaterThan(50);
    for (int nth = 1; nth <= changes; nth++) {
      fail(nth, errnos.get(nth % errnos.size()), isForGood);
    }
  }

  /** How often a life changes something on the disk. */
  private int changes() {
    FullDisk whole = new FullDisk(0, Errno.UNKNOWN, false);
    try (Life life = life();
        Journals journals = new Journals(whole, directory)) {
      assertThat(live(life, journals)).isEmpty();
      assertThat(life.steps).allMatch(Step::succeeded);
      return whole.changes();
    }
  }

  private void fail(int nth, Errno errno, boolean isForGood) {
    String where = "change %d, %s".formatted(nth, errno);
    try (Life life = life()) {
      Holdings before = life.holdings();
      Optional<RuntimeException> thrown;
      try (Journals journals = new Journals(new FullDisk(nth, errno, isForGood), directory)) {
        thrown = live(life, journals);
      }
      assertThat(thrown).as(where).isPresent();
      assertThat(thrown.get())
          .as(where)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("the kernel said " + errno);
      assertThat(life.holdings()).as(where).isEqualTo(before);
      assertThat(life.tdi()).as(where).isEmpty();
      UndoOrder.check(life.steps);
      // What must be on the disk before it is done is the only step that the disk makes fail.
      assertThat(life.steps.stream().filter(step -> !step.succeeded()).map(Step::kind))
          .as(where)
          .isSubsetOf(List.of(TdiStep.GIVE_TO_VFIO.kind(), TdiStep.CONNECT_TSM.kind()));
      try (Journals journals = new Journals(directory)) {
        journals.recover(life.kernel, Life.ENDPOINT);
        assertThat(journals.directory().names()).as(where).isEmpty();
      }
      assertThat(life.holdings()).as(where).isEqualTo(before);
    }
  }

  /** Whoever listens, fails: each time, or once, with an exception or out of memory. */
  @ParameterizedTest
  @ValueSource(strings = {"exception", "error"})
  void aListenerThatFailsUndoesNothingTwice(String kind) {
    List<Step> told = new ArrayList<>();
    try (Life life = life()) {
      Holdings before = life.holdings();
      AssignmentListener failing =
          new AssignmentListener() {
            @Override
            public void step(Step step) {
              told.add(step);
              if (kind.equals("error")) {
                throw new OutOfMemoryError("no heap");
              }
              throw new IllegalStateException("no listener");
            }
          };
      TdiAssignment assignment = new TdiAssignment(life.options(life.kernel).withListener(failing));
      assertThatThrownBy(assignment::assign)
          .hasMessageStartingWith(kind.equals("error") ? "no heap" : "no listener");
      assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
      assertThat(life.holdings()).isEqualTo(before);
      assertThat(told).allMatch(Step::succeeded);
      UndoOrder.check(told);
    }
  }

  @Test
  void aFullDiskIsNamedWithTheWayOut() {
    try (Life life = life();
        Journals journals = new Journals(new FullDisk(2, Errno.ENOSPC, true), directory)) {
      assertThat(live(life, journals).orElseThrow())
          .hasMessageContaining(
              directory.resolve("0000-00-07.0.journal")
                  + ": the kernel said ENOSPC. Usual cause: the file system is full");
    }
  }
}
