package dev.iolite.attack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The commands that root runs. */
final class RootCommand {
  private RootCommand() {}

  private static ProcessBuilder builder(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  /** Begins one. */
  static Process begin(String... arguments) throws IOException {
    return builder(arguments).start();
  }

  /** Runs one, which ends by itself. */
  static Attacker.Outcome run(String... arguments) throws Exception {
    return runIn(Map.of(), arguments);
  }

  /** As {@link #run}, with variables in its environment. */
  static Attacker.Outcome runIn(Map<String, String> environment, String... arguments)
      throws Exception {
    ProcessBuilder builder = builder(arguments);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Attacker.Outcome(process.exitValue(), said);
  }

  /** Waits until a process says something. */
  static void awaitLine(BufferedReader said, String part) throws IOException {
    String line;
    do {
      line = said.readLine();
      assertThat(line).as("it ended before it said '%s'", part).isNotNull();
    } while (!line.contains(part));
  }

  /** Sets permissions, such as {@code rwx------}. */
  static void chmod(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
