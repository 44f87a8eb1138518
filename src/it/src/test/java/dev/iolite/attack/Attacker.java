package dev.iolite.attack;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A user of this machine without any privilege, in whose name programs run. */
final class Attacker {
  static final int USER = 65534;

  private Attacker() {}

  /** A test that needs one is skipped where this process can't be another user. */
  static void require() {
    assumeTrue(ownUser().equals(OptionalInt.of(0)), "only root can run programs as another user");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "needs setpriv, of util-linux");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/perl")), "needs perl, for the attacks");
    try {
      assumeTrue(run("true").code() == 0, "setpriv can't change the user in this container");
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static OptionalInt ownUser() {
    try {
      return OptionalInt.of((int) Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException _) {
      return OptionalInt.empty();
    }
  }

  /**
   * What a program did.
   *
   * @param said what it wrote, to either stream
   */
  record Outcome(int code, String said) {}

  /** Runs a shell command as that user. */
  static Outcome run(String script) throws IOException, InterruptedException {
    return run(List.of("bash", "-c", script));
  }

  /**
   * Connects to a socket as that user, sends a line, and waits for an answer.
   *
   * @return what came of it: {@code refused: ...}, or {@code answer: ...}
   */
  static String say(Path socket, String line) throws IOException, InterruptedException {
    return run(List.of(
            "perl",
            "-MSocket",
            "-e",
            """
            $SIG{PIPE} = "IGNORE";
            socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
            connect($s, pack_sockaddr_un($ARGV[0])) or do { print "refused: $!"; exit };
            syswrite($s, "$ARGV[1]\\n");
            sysread($s, my $answer, 1000);
            print "answer: $answer";
            """,
            socket.toString(),
            line))
        .said();
  }

  /** Listens at a socket as that user, says {@code ready}, and answers one connection. */
  static Process listen(Path socket, String answer) throws IOException {
    return new ProcessBuilder(
            words(
                List.of(
                    "perl",
                    "-MSocket",
                    "-e",
                    """
                    $| = 1;
                    socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
                    bind($s, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
                    listen($s, 9) or die;
                    print "ready\\n";
                    while (accept(my $c, $s)) {
                      syswrite($c, "$ARGV[1]\\n");
                      close($c);
                    }
                    """,
                    socket.toString(),
                    answer)))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static Outcome run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words(command)).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), said);
  }

  private static List<String> words(List<String> command) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=" + USER,
                "--regid=" + USER,
                "--clear-groups",
                "--no-new-privs"));
    words.addAll(command);
    return words;
  }

  /** A new directory that is that user's. */
  static Path directory(Path parent, String name) throws IOException {
    Path directory = Files.createDirectory(parent.resolve(name));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    Files.setAttribute(directory, "unix:uid", USER);
    Files.setAttribute(directory, "unix:gid", USER);
    return directory;
  }

  /** Lets everybody through a directory. */
  static void open(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
