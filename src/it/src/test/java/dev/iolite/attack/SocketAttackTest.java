package dev.iolite.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Another user of the machine, and root's sockets and run directories. */
@Timeout(300)
class SocketAttackTest {
  private static final String SOCKET = "0000-00-07.0.sock";
  private static final String SHOW = "{\"command\":\"show\",\"format\":\"table\"}";

  @TempDir private Path directory;

  @BeforeAll
  static void requireAnotherUser() {
    Attacker.require();
  }

  @BeforeEach
  void letOthersIn() throws IOException {
    Attacker.open(directory);
  }

  @Test
  void aMockHostServesNobodyElse() throws Exception {
    Path socket = directory.resolve("host");
    Process host = RootCommand.begin("mock", "serve", socket.toString(), "mock:plain");
    try (BufferedReader said = host.inputReader(StandardCharsets.UTF_8)) {
      RootCommand.awaitLine(said, "serves");
      String claim =
          "{\"call\":\"PROCESS\",\"numbers\":\"%d\"}".formatted(ProcessHandle.current().pid());
      assertThat(Attacker.say(socket, claim)).isEqualTo("refused: Permission denied");
      RootCommand.chmod(socket, "rw-rw-rw-");
      assertThat(Attacker.say(socket, claim)).as("whatever its permissions").isEqualTo("answer: ");
      RootCommand.awaitLine(said, "of user " + Attacker.USER);
      assertThat(RootCommand.run("--kernel", "mock@" + socket, "pci", "list").code()).isZero();
    } finally {
      host.destroy();
    }
    assertThat(host.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(socket).doesNotExist();
  }

  @Test
  void aHeldDeviceObeysNobodyElse() throws Exception {
    Path run = directory.resolve("run");
    Process holder =
        RootCommand.begin(
            "--kernel", "mock:tdx", "tdi", "assign", "--hold", "--run-dir", run.toString());
    try (BufferedReader said = holder.inputReader(StandardCharsets.UTF_8);
        BufferedWriter keyboard = holder.outputWriter(StandardCharsets.UTF_8)) {
      RootCommand.awaitLine(said, "Held.");
      Path socket = run.resolve(SOCKET);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(run)))
          .isEqualTo("rwx------");
      assertThat(Attacker.say(socket, SHOW)).isEqualTo("refused: Permission denied");
      RootCommand.chmod(run, "rwxrwxrwx");
      RootCommand.chmod(socket, "rw-rw-rw-");
      assertThat(Attacker.say(socket, SHOW)).as("whatever its permissions").isEqualTo("answer: ");
      RootCommand.chmod(run, "rwx------");
      assertThat(RootCommand.run("tdi", "show", "--run-dir", run.toString()).code()).isZero();
      keyboard.write("quit\n");
      keyboard.flush();
      RootCommand.awaitLine(said, "all is as before");
      assertThat(holder.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(holder.exitValue()).isZero();
    } finally {
      holder.destroyForcibly();
    }
  }

  /** An answer of another user's is not printed, nor taken for that of the holder. */
  @Test
  void aSocketOfAnotherUserIsNotBelieved() throws Exception {
    Path theirs = Attacker.directory(directory, "theirs");
    Path socket = theirs.resolve(SOCKET);
    Process listener = Attacker.listen(socket, "{\"code\":\"0\",\"out\":\"forged\"}");
    try (BufferedReader said = listener.inputReader(StandardCharsets.UTF_8)) {
      assertThat(said.readLine()).isEqualTo("ready");
      Attacker.Outcome unbound = RootCommand.run("tdi", "unbind", "--run-dir", theirs.toString());
      assertThat(unbound.code()).isEqualTo(4);
      assertThat(unbound.said()).contains("iolite: ").doesNotContain("forged");
      Attacker.Outcome listed = RootCommand.run("--kernel", "mock@" + socket, "pci", "list");
      assertThat(listed.code()).isEqualTo(4);
      assertThat(listed.said()).contains("a process of user " + Attacker.USER + " listens there");
      assertThat(RootCommand.run("mock", "serve", socket.toString(), "mock:plain").code())
          .isEqualTo(4);
      assertThat(socket).exists();
    } finally {
      listener.destroyForcibly();
    }
  }

  /** Whatever is planted where a socket is to be made, it is neither followed nor waited for. */
  @Test
  void whatIsPlantedInTheWayStaysAndLeadsNowhere() throws Exception {
    Path theirs = Attacker.directory(directory, "theirs");
    Path target = directory.resolve("target");
    Path place = theirs.resolve(SOCKET);
    for (String plant :
        List.of("ln -s " + target + " " + place, "mkfifo " + place, "mkdir " + place)) {
      assertThat(Attacker.run(plant).code()).isZero();
      Attacker.Outcome held =
          RootCommand.run(
              "--kernel", "mock:tdx", "tdi", "assign", "--hold", "--run-dir", theirs.toString());
      assertThat(held.code()).as(held.said()).isEqualTo(4);
      assertThat(RootCommand.run("mock", "serve", place.toString(), "mock:plain").code())
          .isEqualTo(4);
      assertThat(target).doesNotExist();
      assertThat(Files.exists(place, LinkOption.NOFOLLOW_LINKS)).isTrue();
      assertThat(Attacker.run("rm -r " + place).code()).isZero();
    }
  }
}
