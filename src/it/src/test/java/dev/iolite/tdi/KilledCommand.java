package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** {@code iolite tdi assign} of the lab's ivshmem, killed anywhere, and the recovery after it. */
final class KilledCommand {
  /** About as many as it prints in a life. */
  private static final int MOST_LINES = 230;

  /** What somebody asks for who holds a device. */
  private static final String WISHES =
      """
      bind
      start
      read 0x2000000 private
      unbind
      show
      ask bind
      convert 0x2000 4K shared
      ask report 0x2000
      ask validate
      ask start
      reset
      unbind
      bind
      """;

  private final Path directory;
  private final boolean isHeld;
  private final int lines;
  private String last = "";
  private boolean hadEnded;

  /**
   * At a place that the random numbers say.
   *
   * @param directory the run directory
   */
  KilledCommand(Path directory, Random random) {
    this.directory = directory;
    isHeld = random.nextBoolean();
    lines = 1 + random.nextInt(MOST_LINES);
  }

  /** Runs and kills it. It may also end before. */
  void kill() throws IOException, InterruptedException {
    Process victim =
        (isHeld ? iolite("tdi", "assign", "--hold") : iolite("tdi", "assign", "--all")).start();
    try (BufferedReader said = output(victim)) {
      try (OutputStream wishes = victim.getOutputStream()) {
        wishes.write((isHeld ? WISHES : "").getBytes(StandardCharsets.UTF_8));
      }
      for (int i = 0; i < lines && !hadEnded; i++) {
        String line = said.readLine();
        hadEnded = line == null;
        last = hadEnded ? last : line;
      }
      victim.destroyForcibly();
    }
    assertThat(victim.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  /** Runs {@code tdi recover}, which must succeed. */
  void recover() throws IOException, InterruptedException {
    Process recovery = iolite("tdi", "recover").start();
    try (BufferedReader said = output(recovery)) {
      String text = String.join("\n", said.lines().toList());
      assertThat(recovery.waitFor()).as("%s; recovery said:%n%s", this, text).isZero();
    }
  }

  /** Whether it had ended before it could be killed. */
  boolean hadEnded() {
    return hadEnded;
  }

  private ProcessBuilder iolite(String... arguments) {
    List<String> command = new ArrayList<>(List.of("iolite"));
    command.addAll(Arrays.asList(arguments));
    command.addAll(List.of("--run-dir", directory.toString(), SeedLife.IVSHMEM.toString()));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  private static BufferedReader output(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  @Override
  public String toString() {
    return "tdi assign%s, killed after %d lines, the last: %s"
        .formatted(isHeld ? " --hold" : "", lines, last);
  }
}
