package dev.iolite.attack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.remote.MockHost;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.tsm.Profile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Another user of the machine, and the run directory of root's commands, with a journal that root's
 * command has left there when it was killed.
 */
@Timeout(300)
class RunDirectoryAttackTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");
  private static final String JOURNAL = "0000-00-07.0.journal";

  @TempDir private Path directory;
  private MockHost host;

  @BeforeAll
  static void requireAnotherUser() {
    Attacker.require();
  }

  @BeforeEach
  void start() throws IOException {
    Attacker.open(directory);
    host =
        MockHost.start(
            directory.resolve("host"),
            MockKernel.builder().platform(Platform.TDX).profile(Profile.SEED_2025));
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private String kernel() {
    return "mock@" + host.socket();
  }

  /** Has root's command assign a device, and kills it. */
  private void leaveJournal(Path run) throws Exception {
    Process holder =
        RootCommand.begin(
            "--kernel",
            kernel(),
            "tdi",
            "assign",
            "--hold",
            "--vm=tdx",
            "--run-dir",
            run.toString(),
            ENDPOINT.toString());
    try (BufferedReader said = holder.inputReader(StandardCharsets.UTF_8)) {
      RootCommand.awaitLine(said, "Held.");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertThat(run.resolve(JOURNAL)).exists();
    assertThat(isHeld()).isTrue();
  }

  private boolean isHeld() {
    try (RemoteKernel afterwards = RemoteKernel.connect(host.socket())) {
      return new Pci(afterwards).device(ENDPOINT).driver().isPresent();
    }
  }

  private Attacker.Outcome recover(Path run) throws Exception {
    return RootCommand.run("--kernel", kernel(), "tdi", "recover", "--run-dir", run.toString());
  }

  private void isRefused(Attacker.Outcome outcome, String why) {
    assertThat(outcome.code()).as(outcome.said()).isEqualTo(4);
    assertThat(outcome.said()).contains(why, "Next: ");
    assertThat(isHeld()).isTrue();
  }

  private void isRecovered(Path run) throws Exception {
    Attacker.Outcome recovered = recover(run);
    assertThat(recovered.code()).as(recovered.said()).isZero();
    assertThat(isHeld()).isFalse();
    assertThat(run.resolve(JOURNAL)).doesNotExist();
  }

  /** Where an attacker's variable or option leads root's command, as after {@code sudo -E}. */
  @Test
  void aJournalInADirectoryOfAnotherUserIsNotBelieved() throws Exception {
    Path run = directory.resolve("run");
    leaveJournal(run);
    Path theirs = Attacker.directory(directory, "theirs");
    Path planted = Attacker.directory(theirs, "iolite");
    Files.copy(run.resolve(JOURNAL), planted.resolve(JOURNAL));
    String why = "it belongs to user " + Attacker.USER;
    isRefused(recover(planted), why);
    isRefused(
        RootCommand.runIn(
            Map.of("XDG_RUNTIME_DIR", theirs.toString()), "--kernel", kernel(), "tdi", "recover"),
        why);
    assertThat(planted.resolve(JOURNAL)).exists();
    isRecovered(run);
  }

  /** The attacker owns the directory that root's is in. */
  @Test
  void aDirectoryThatWasExchangedIsNotUsed() throws Exception {
    Path theirs = Attacker.directory(directory, "theirs");
    Path run = theirs.resolve("run");
    Path moved = theirs.resolve("moved");
    leaveJournal(run);
    assertThat(Attacker.run("mv " + run + " " + moved + "; ln -s " + moved + " " + run).code())
        .isZero();
    isRefused(recover(run), "ENOTDIR");
    assertThat(Attacker.run("rm " + run + "; mkdir -m 700 " + run).code()).isZero();
    isRefused(recover(run), "it belongs to user " + Attacker.USER);
    isRecovered(moved);
  }

  /** What was put there while the directory was open to others stays when it no longer is. */
  @Test
  void whatIsPlantedInTheDirectoryIsNeitherFollowedNorWaitedForNorBelieved() throws Exception {
    Path run = directory.resolve("run");
    leaveJournal(run);
    Path journal = run.resolve(JOURNAL);
    Path kept = directory.resolve("kept");
    Files.copy(journal, kept);
    RootCommand.chmod(kept, "rw-r--r--");
    Path target = directory.resolve("target");
    Map<String, String> plants =
        Map.of(
            "ln -s " + target + " " + journal, "ELOOP",
            "ln -s " + kept + " " + journal, "ELOOP",
            "mkfifo " + journal, "it is no regular file",
            "mkdir " + journal, "EISDIR",
            "cp " + kept + " " + journal, "it belongs to user " + Attacker.USER);
    for (Map.Entry<String, String> plant : plants.entrySet()) {
      RootCommand.chmod(run, "rwxrwxrwx");
      String put = "rm -rf " + journal + "; " + plant.getKey();
      assertThat(Attacker.run(put).code()).as(put).isZero();
      isRefused(recover(run), "its mode is 0777, and must be 0700");
      RootCommand.chmod(run, "rwx------");
      isRefused(recover(run), plant.getValue());
      assertThat(target).doesNotExist();
    }
    RootCommand.chmod(run, "rwxrwxrwx");
    assertThat(Attacker.run("rm -rf " + journal).code()).isZero();
    RootCommand.chmod(run, "rwx------");
    Files.move(kept, journal);
    isRecovered(run);
  }
}
