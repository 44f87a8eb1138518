package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.TsmState;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tdi recover}, after a process that is no more. */
class TdiRecoverTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");

  @TempDir private Path directory;

  private final MockKernel kernel = Rehearsal.of(Platform.TDX, Profile.SEED_2025).kernel();

  @AfterEach
  void exit() {
    kernel.close();
  }

  private Path journal() {
    return Journal.file(directory, ENDPOINT);
  }

  private PciDevice device() {
    return new Pci(kernel).device(ENDPOINT);
  }

  private AssignmentOptions options() {
    return new AssignmentOptions(kernel, ENDPOINT).withVmType(VmType.TDX);
  }

  /** As a process that is killed while the interface runs. */
  private void leave() {
    Journal journal = Journal.open(directory, ENDPOINT);
    TdiAssignment assignment = new TdiAssignment(options().withJournal(() -> journal));
    assignment.assign();
    assignment.bind();
    assignment.start();
    new SysFs(kernel)
        .list("/proc/self/fd")
        .forEach(number -> kernel.close(Integer.parseInt(number)));
    journal.close();
    assertThat(device().driver()).contains("vfio-pci");
    assertThat(device().tsm().flatMap(TsmState::connect)).contains("tsm0");
  }

  private void assertReleased() {
    assertThat(device().driver()).isEmpty();
    assertThat(device().driverOverride()).isEmpty();
    assertThat(device().tsm().flatMap(TsmState::connect)).isEmpty();
    assertThat(journal()).doesNotExist();
  }

  private Cli recover(String... more) {
    return Cli.runOn(
        kernel,
        Stream.concat(
                Stream.of("tdi", "recover", "--run-dir", directory.toString()), Stream.of(more))
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"00:07.0", ""})
  void whatAKilledProcessHeldIsReleasedAndTold(String address) {
    leave();
    Cli cli = address.isEmpty() ? recover() : recover(address);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("disconnect the TSM: from tsm0")
        .contains("give the device back to its driver: with no driver again")
        .contains("0000:00:07.0 was held by process " + ProcessHandle.current().pid())
        .contains("killed while it was running; released")
        .contains("one of its last steps: start the interface");
    assertReleased();

    Cli again = recover();
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains("Nothing to recover: no journal is left in " + directory);
  }

  @Test
  void asJson() {
    leave();
    JsonNode json = JsonMapper.shared().readTree(recover("-o", "json").out()).get(0);
    assertThat(json.get("device").asString()).isEqualTo("0000:00:07.0");
    assertThat(json.get("found").get("state").asString()).isEqualToIgnoringCase("running");
    assertThat(json.get("steps").toString()).contains("disconnect the TSM", "succeeded");
    assertReleased();
    assertThat(recover("-o", "json").out().strip()).isEqualTo("[ ]");
  }

  @Test
  void aProcessThatRunsIsLeftAlone() {
    try (TdiAssignment assignment =
        new TdiAssignment(options().withJournal(() -> Journal.open(directory, ENDPOINT)))) {
      assignment.assign();
      Cli cli = recover();
      assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(cli.err())
          .contains("process " + ProcessHandle.current().pid() + " still has it", "it runs");
      assertThat(device().driver()).contains("vfio-pci");
    }
    assertReleased();
  }

  @Test
  void anAssignmentAfterItSaysRecover() {
    leave();
    Cli cli =
        Cli.runOn(kernel, "tdi", "assign", "--hold", "00:07.0", "--run-dir", directory.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("Next: iolite tdi recover 0000:00:07.0");
    assertThat(directory.resolve("0000-00-07.0.sock")).doesNotExist();
    assertThat(recover().code()).isZero();
    assertReleased();
  }

  /** The power went while a line was written, or a block of the disk is lost. */
  @ParameterizedTest
  @ValueSource(strings = {"{\"event\":\"sta", "\u0000\u0000\u0000\n", "nonsense\n", "{\"a\":{}}\n"})
  void aTornJournalStillTells(String torn) throws IOException {
    leave();
    String whole = Files.readString(journal());
    int end = whole.indexOf('\n') + 1;
    String lost = torn.endsWith("\n") ? torn : "";
    Files.writeString(journal(), whole.substring(0, end) + lost + whole.substring(end) + torn);
    Cli cli = recover();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out()).contains("killed while it was running");
    assertReleased();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "{\"event\":\"begin\",\"process\":\"x\"}\n{\"event\":\"state\",\"state\":\"x\"}\n",
        "{\"event\":\"connecting\"}\n"
      })
  void aJournalThatSaysNothingReleasesNothing(String text) throws IOException {
    Files.writeString(journal(), text);
    Cli cli = recover();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertReleased();
  }

  @Test
  void bytesThatAreNoTextDoNotHideTheRest() throws IOException {
    leave();
    byte[] whole = Files.readAllBytes(journal());
    byte[] more = new byte[whole.length + 3];
    System.arraycopy(whole, 0, more, 0, whole.length);
    more[whole.length] = (byte) 0xff;
    more[whole.length + 1] = (byte) 0xc0;
    more[whole.length + 2] = '\n';
    Files.write(journal(), more);
    assertThat(new String(more, StandardCharsets.UTF_8)).contains("\ufffd");
    assertThat(recover().code()).isZero();
    assertReleased();
  }

  @Test
  void anotherFileIsNoJournal() throws IOException {
    Files.writeString(directory.resolve("notes.journal"), "x");
    assertThat(recover().out()).contains("Nothing to recover");
    assertThat(directory.resolve("notes.journal")).exists();
  }

  @Test
  void aJournalThatCantBeReadIsTold() throws IOException {
    Files.createDirectory(journal());
    Cli cli = recover();
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("read the journal of 0000:00:07.0");
  }

  @Test
  void whoeverIsStoppedLeavesNoJournal() {
    AtomicBoolean stopped = new AtomicBoolean();
    TdiAssignment assignment =
        new TdiAssignment(
            options().withStop(stopped::get).withJournal(() -> Journal.open(directory, ENDPOINT)));
    assignment.assign();
    stopped.set(true);
    assignment.close();
    assertReleased();
  }
}
