package dev.iolite.attack;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
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
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "needs python3, for the attacks");
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

  /** Runs a Python program as that user. */
  static Outcome python(String program) throws IOException, InterruptedException {
    return run(List.of("python3", "-c", program));
  }

  private static Outcome run(List<String> command) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=" + USER,
                "--regid=" + USER,
                "--clear-groups",
                "--no-new-privs"));
    words.addAll(command);
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes());
    return new Outcome(process.waitFor(), said);
  }

  /** A new directory that everybody can enter, with one of theirs in it. */
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
