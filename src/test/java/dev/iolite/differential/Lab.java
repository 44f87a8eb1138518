package dev.iolite.differential;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Programs on the lab's real kernel, through {@code scripts/lab}. */
final class Lab {
  private static final Path SCRIPT = Path.of("scripts", "lab");
  private static final String DEADLINE = "1800";

  /** Skips the calling test where the lab is not built. */
  static void assumeBuilt() throws IOException, InterruptedException {
    Process status =
        new ProcessBuilder(SCRIPT.toString(), "status").redirectErrorStream(true).start();
    String output = new String(status.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assumptions.assumeTrue(
        status.waitFor() == 0, () -> output.strip() + "; scripts/lab build does it");
  }

  /** Runs the programs of seeds; what each call of each answered. */
  List<List<String>> run(long first, int count) throws IOException, InterruptedException {
    return run(List.of(), "seeds", Long.toString(first), Integer.toString(count));
  }

  /** Runs these programs. */
  List<List<String>> run(List<Program> programs) throws IOException, InterruptedException {
    Path file = Files.createTempFile("programs", ".jsonl");
    try {
      Program.write(file, programs);
      return run(List.of("--give", file.toString()), "file", "/host/" + file.getFileName());
    } finally {
      Files.delete(file);
    }
  }

  private static List<List<String>> run(List<String> options, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(SCRIPT.toString(), "exec", "--as-built", "--deadline", DEADLINE));
    command.addAll(options);
    command.addAll(
        List.of(
            "/java/bin/java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            "/app/test-classes:/app/iolite.jar:/app/test-lib/*",
            Runner.class.getName()));
    command.addAll(Arrays.asList(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      process.getOutputStream().close();
      List<List<String>> answers = new ArrayList<>();
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        List<String> program = new ArrayList<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.isEmpty()) {
            answers.add(program);
            program = new ArrayList<>();
          } else {
            program.add(line);
          }
        }
      }
      int exitCode = process.waitFor();
      if (exitCode != 0) {
        throw new IOException("scripts/lab exec ended with exit code " + exitCode);
      }
      return answers;
    } finally {
      process.destroy();
    }
  }
}
