package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.journal.Recovery;
import dev.iolite.tsm.Profile;
import dev.iolite.vfio.VfioDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a killed process leaves is released by the next, from what the first has written down. */
class RecoveryTest {
  private static final String DRIVER = "accel";

  @TempDir private Path directory;

  private final Life life =
      new Life(
          Platform.TDX,
          Profile.SEED_2025,
          TdispEndpoint.model(),
          machine -> machine.driver(Life.ENDPOINT.toString(), DRIVER));

  private Journals journals;

  @BeforeEach
  void open() {
    journals = new Journals(directory);
  }

  @AfterEach
  void close() {
    journals.close();
  }

  private PciDevice device() {
    return new Pci(life.kernel).device(Life.ENDPOINT);
  }

  private Path file() {
    return journals.file(Life.ENDPOINT);
  }

  private Optional<Recovery.Found> recover() {
    return journals.recover(life.kernel, Life.ENDPOINT);
  }

  private TdiAssignment journalled() {
    return new TdiAssignment(
        life.options(life.kernel).withJournal(() -> journals.begin(Life.ENDPOINT)));
  }

  /** What a process leaves that is killed: of the kernel only what outlives it. */
  private void leaveBehind(State state) {
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of("driver", DRIVER));
    DriverBinding.bind(device(), "vfio-pci");
    journal.connecting("tsm0");
    new Tsm(life.kernel).connect(device(), "tsm0");
    journal.state(state);
    journal.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"shared", "withdrawn", "locked", "split", "running", "error"})
  void whateverTheStateAllIsReleasedAndToldOf(String state) {
    Holdings before = life.holdings();
    leaveBehind(State.of(state).orElseThrow());
    assertThat(life.holdings()).isNotEqualTo(before);

    Recovery.Found found = recover().orElseThrow();
    assertThat(found.state()).hasToString(state);
    assertThat(found.process()).isEqualTo(ProcessHandle.current().pid());
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(file()).doesNotExist();
  }

  /** Its user would lose the TSM's connection, and the kernel would wait for that user. */
  @Test
  void whatSomebodyUsesByNowIsLeftAsItIs() {
    leaveBehind(State.RUNNING);
    Holdings before = life.holdings();
    try (VfioDevice _ =
        VfioDevice.open(life.kernel, device().requireVfioCdev(), Life.ENDPOINT.toString())) {
      assertThatThrownBy(this::recover)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
    }
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(before.tsm()).contains("tsm0");
    assertThat(file()).exists();
    assertThat(recover()).isPresent();
  }

  @Test
  void aSecondRecoveryFindsNothingAndChangesNothing() {
    leaveBehind(State.RUNNING);
    Holdings after;
    assertThat(recover()).isPresent();
    after = life.holdings();
    assertThat(recover()).isEmpty();
    assertThat(life.holdings()).isEqualTo(after);
  }

  @Test
  void aRecoveryThatWasItselfKilledIsRepeated() throws IOException {
    Holdings before = life.holdings();
    leaveBehind(State.SPLIT);
    byte[] journal = Files.readAllBytes(file());
    recover();
    Files.write(file(), journal);
    assertThat(recover()).isPresent();
    assertThat(life.holdings()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1f2e3d4c 5 3 {\"event\":\"state\",\"sta",
        "1f2e",
        "\u0000\u0000\u0000",
        "1f2e3d4c 5 3 {\"event\":\"st\u00e4"
      })
  void aTornLastLineIsLeftOut(String torn) throws IOException {
    Holdings before = life.holdings();
    leaveBehind(State.RUNNING);
    byte[] cut = torn.getBytes(StandardCharsets.UTF_8);
    boolean endsInACharacter = torn.endsWith("\u00e4");
    Files.write(
        file(),
        endsInACharacter ? Arrays.copyOf(cut, cut.length - 1) : cut,
        StandardOpenOption.APPEND);
    assertThat(recover().orElseThrow().state()).isEqualTo(State.RUNNING);
    assertThat(life.holdings()).isEqualTo(before);
  }

  @Test
  void whereverTheJournalIsCutOffRecoveryEnds() throws IOException {
    leaveBehind(State.RUNNING);
    byte[] journal = Files.readAllBytes(file());
    recover();
    for (int length = 0; length < journal.length; length += 9) {
      Files.write(file(), Arrays.copyOf(journal, length));
      recover();
      assertThat(file()).as("cut at %d", length).doesNotExist();
      assertThat(device().driver()).as("cut at %d", length).contains(DRIVER);
    }
  }

  @Test
  void anOverrideThatWasSetIsSetAgain() {
    new SysFs(life.kernel).write(device().path() + "/driver_override", DRIVER);
    Holdings before = life.holdings();
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of("driver", DRIVER, "override", DRIVER));
    DriverBinding.bind(device(), "vfio-pci");
    journal.close();
    recover();
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(life.holdings().driverOverride()).contains(DRIVER);
  }

  @Test
  void anOverrideIsTakenBackIfTheDeviceStillHasItsDriver() {
    Holdings before = life.holdings();
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of("driver", DRIVER));
    new SysFs(life.kernel).write(device().path() + "/driver_override", "vfio-pci");
    journal.close();
    recover();
    assertThat(life.holdings()).isEqualTo(before);
  }

  @Test
  void aDriverThatTheDeviceWasGivenSinceKeepsIt() {
    Holdings since = life.holdings();
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of());
    journal.close();
    recover();
    assertThat(life.holdings()).isEqualTo(since);
    assertThat(device().driver()).contains(DRIVER);
  }

  /** Runs a recovery with a listener. */
  private Optional<Recovery.Found> recover(AssignmentListener listener) {
    return new Recovery(
            life.kernel, journals.directory(), Life.ENDPOINT, Journal.THIS_HOST, listener)
        .run();
  }

  @Test
  void whatTheDeviceWasGivenSinceIsToldOf() {
    List<String> remarks = new ArrayList<>();
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of());
    journal.close();
    recover(
        new AssignmentListener() {
          @Override
          public void remark(String text) {
            remarks.add(text);
          }
        });
    assertThat(remarks)
        .containsExactly(
            "The device has the driver accel and no driver_override by now, and keeps them.");
  }

  @Test
  void anOverrideThatWasSetSinceIsKept() {
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of("driver", DRIVER));
    new SysFs(life.kernel).write(device().path() + "/driver_override", "another");
    journal.close();
    recover();
    assertThat(device().driverOverride()).contains("another");
  }

  /** Another process may have it, as one that was forked; the kernel may also not be done. */
  @Test
  void anInterfaceThatIsStillBoundIsLeftAsItIs() {
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      Journal journal = journals.begin(Life.ENDPOINT);
      journal.connecting("tsm0");
      journal.close();
      assertThatThrownBy(this::recover)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("its interface is still bound by tsm0");
      assertThat(assignment.refresh()).isEqualTo(State.SPLIT);
      assertThat(file()).exists();
    }
  }

  @Test
  void aListenerThatFailsIsToldOfWhenAllIsReleased() {
    Holdings before = life.holdings();
    leaveBehind(State.RUNNING);
    assertThatThrownBy(() ->
            recover(
                new AssignmentListener() {
                  @Override
                  public void step(Step step) {
                    throw new IllegalStateException("after " + step.name());
                  }
                }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(recover()).isPresent();
  }

  @Test
  void whatWasWrittenDownButNotDoneIsNoHindrance() {
    Holdings before = life.holdings();
    Journal journal = journals.begin(Life.ENDPOINT);
    journal.driver(Map.of("driver", DRIVER));
    journal.connecting("tsm0");
    journal.close();
    assertThat(recover()).isPresent();
    assertThat(life.holdings()).isEqualTo(before);
  }

  @Test
  void aProcessThatLivesIsLeftAlone() {
    try (TdiAssignment assignment = journalled()) {
      assignment.assign();
      assignment.bind();
      Holdings held = life.holdings();
      assertThatThrownBy(this::recover)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("process " + ProcessHandle.current().pid());
      assertThat(life.holdings()).isEqualTo(held);
      assertThat(file()).exists();
      assertThatThrownBy(() -> journalled().assign()).isInstanceOf(PreconditionException.class);
      assertThat(assignment.refresh()).isEqualTo(State.SPLIT);
    }
    assertThat(file()).doesNotExist();
  }

  @Test
  void anAssignmentAfterAKilledOneAsksForTheRecoveryFirst() {
    leaveBehind(State.SHARED);
    TdiAssignment next = journalled();
    assertThatThrownBy(next::assign)
        .isInstanceOfSatisfying(
            PreconditionException.class,
            e -> assertThat(e.advice().remedy()).isEqualTo(Remedy.RECOVER));
    assertThat(next.state()).isEqualTo(State.UNASSIGNED);
    recover();
    next.assign();
    next.close();
    assertThat(file()).doesNotExist();
  }

  @Test
  void theJournalHasEachStateInTheOrderOfTheLife() throws IOException {
    TdiAssignment assignment = journalled();
    assignment.assign();
    assignment.bind();
    assignment.start();
    List<String> states =
        Files.readAllLines(file()).stream()
            .filter(line -> line.contains("\"event\":\"state\""))
            .map(line -> line.replaceAll(".*\"state\":\"(\\w+)\".*", "$1"))
            .toList();
    assertThat(states).containsExactly("shared", "withdrawn", "locked", "split", "running");
    assignment.close();
    assertThat(file()).doesNotExist();
  }

  /** As when a disk is full: the assignment can't go on without its journal, and holds nothing. */
  @Test
  void aJournalThatCantBeWrittenEndsTheBindWithNothingLost() {
    Holdings before = life.holdings();
    for (State last : new State[] {State.WITHDRAWN, State.LOCKED, State.SPLIT}) {
      TdiAssignment assignment = life.assignment();
      assignment.assign();
      life.onState =
          state -> {
            if (state == last) {
              throw new UncheckedIOException(new IOException("no space"));
            }
          };
      assertThatThrownBy(assignment::bind).isInstanceOf(UncheckedIOException.class);
      life.onState = _ -> {};
      assertThat(assignment.ledger().problems()).isEmpty();
      assertThat(life.tdi()).as("after %s", last).isEmpty();
      assignment.close();
      assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
      assertThat(life.holdings()).as("after %s", last).isEqualTo(before);
    }
  }

  @Test
  void whatIsOfAnotherKernelIsLeftToThat() {
    Journal journal = Journal.open(journals.directory(), Life.ENDPOINT, "mock@/run/there");
    journal.driver(Map.of());
    journal.close();
    assertThatThrownBy(this::recover)
        .isInstanceOfSatisfying(
            PreconditionException.class,
            e -> {
              assertThat(e.advice().remedy()).isEqualTo(Remedy.RECOVER_ELSEWHERE);
              assertThat(e.advice().subjects()).containsExactly("mock@/run/there", "0000:00:07.0");
            });
    assertThat(device().driver()).contains(DRIVER);
    assertThat(file()).exists();
    assertThat(
            new Recovery(
                    life.kernel,
                    journals.directory(),
                    Life.ENDPOINT,
                    "mock@/run/there",
                    AssignmentListener.none())
                .run())
        .isPresent();
    assertThat(file()).doesNotExist();
  }
}
