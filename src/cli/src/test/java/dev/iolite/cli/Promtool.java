package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Prometheus' own reader of metrics, if this machine has it. */
final class Promtool {
  private Promtool() {}

  private static Optional<Path> find() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .map(directory -> Path.of(directory, "promtool"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Checks that it can read a text, and that it finds nothing odd in names, types and units. */
  static void accepts(String metrics) throws IOException, InterruptedException {
    Optional<Path> program = find();
    assumeTrue(program.isPresent(), "there is no promtool, which is in Debian's prometheus");
    Process process =
        new ProcessBuilder(program.get().toString(), "check", "metrics")
            .redirectErrorStream(true)
            .start();
    try (OutputStream in = process.getOutputStream()) {
      in.write(metrics.getBytes(StandardCharsets.UTF_8));
    }
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said + metrics).isZero();
    assertThat(said).isEmpty();
  }
}
