package dev.iolite.differential;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Programs on a real kernel of the lab, through {@code scripts/lab}. */
final class Lab implements RealKernel {
  private static final Path SCRIPT = Path.of("scripts", "lab");
  private static final String DEADLINE = "1800";

  /** {@code scripts/lab} has this exit code if the machine failed, not the program in it. */
  private static final int LAB_FAILED = 125;

  /** A program takes milliseconds, and the longest start of a machine was 30 seconds. */
  private static final Duration LONGEST_SILENCE = Duration.ofMinutes(3);

  private final LabKernel kernel;

  Lab(LabKernel kernel) {
    this.kernel = kernel;
  }

  @Override
  public LabKernel kernel() {
    return kernel;
  }

  private List<String> script(String... arguments) {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString(), "--kernel", kernel.label()));
    command.addAll(Arrays.asList(arguments));
    return command;
  }

  /** Skips the calling test where the lab has not built the kernel. */
  void assumeBuilt() throws IOException, InterruptedException {
    Process status = new ProcessBuilder(script("status")).redirectErrorStream(true).start();
    String output = new String(status.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assumptions.assumeTrue(
        status.waitFor() == 0,
        () -> output.strip() + "; " + String.join(" ", script("build")) + " does it");
  }

  @Override
  public LabRun run(long first, int count) throws IOException, InterruptedException {
    return run(List.of(), "seeds", Long.toString(first), Integer.toString(count));
  }

  @Override
  public LabRun run(List<Program> programs) throws IOException, InterruptedException {
    Path file = Files.createTempFile("programs", ".jsonl");
    try {
      Program.write(file, programs);
      return run(List.of("--give", file.toString()), "file", "/host/" + file.getFileName());
    } finally {
      Files.delete(file);
    }
  }

  private LabRun run(List<String> options, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = script("exec", "--as-built", "--deadline", DEADLINE);
    command.addAll(options);
    command.addAll(
        List.of(
            "/java/bin/java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            "/app/test-classes:/app/test-lib/*",
            Runner.class.getName(),
            kernel.label()));
    command.addAll(Arrays.asList(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Watchdog watchdog = Watchdog.of(process, LONGEST_SILENCE);
    try {
      process.getOutputStream().close();
      List<List<String>> answers = answers(process, watchdog);
      int exitCode = process.waitFor();
      if (watchdog.hasBitten()) {
        return new LabRun(answers, Optional.of("wrote nothing for " + LONGEST_SILENCE));
      }
      if (exitCode == LAB_FAILED) {
        return new LabRun(answers, Optional.of("ended by itself"));
      }
      if (exitCode != 0) {
        throw new IOException("the programs in the lab ended with exit code " + exitCode);
      }
      return new LabRun(answers, Optional.empty());
    } finally {
      process.destroy();
    }
  }

  /** The last program counts only if it was answered to its end. */
  private static List<List<String>> answers(Process process, Watchdog watchdog) throws IOException {
    List<List<String>> answers = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      List<String> program = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        watchdog.feed();
        if (line.isEmpty()) {
          answers.add(program);
          program = new ArrayList<>();
        } else {
          program.add(line);
        }
      }
    }
    return answers;
  }
}
