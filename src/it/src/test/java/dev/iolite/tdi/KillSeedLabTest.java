package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.steps.Holdings;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code iolite tdi assign} is killed anywhere, on the lab's kernel seed-2025, and {@code iolite
 * tdi recover} releases what it held.
 */
@Tag("seed")
@ExtendWith(Kills.class)
class KillSeedLabTest {
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

  @TempDir private Path directory;

  private final SeedLife life = new SeedLife();
  private int ended;

  @Test
  void whereverItIsKilledRecoveryReleasesAllThatItHeld(int kills)
      throws IOException, InterruptedException {
    Random random = new Random(20250717);
    Holdings before = life.holdings();
    for (int i = 0; i < kills; i++) {
      boolean isHeld = random.nextBoolean();
      int lines = 1 + random.nextInt(MOST_LINES);
      String last = killAfter(lines, isHeld);
      String where =
          "run %d%s, killed after %d lines, the last: %s"
              .formatted(i + 1, isHeld ? ", held" : "", lines, last);
      recover(where);
      assertThat(life.holdings()).as(where).isEqualTo(before);
      life.requireFree(where);
      assertThat(directory).as(where).isEmptyDirectory();
      life.live(life.assignment());
      System.out.println(where);
    }
    System.out.printf("%d processes killed, %d more had ended before%n", kills - ended, ended);
    assertThat(ended).isLessThan(kills);
  }

  private ProcessBuilder iolite(String... arguments) {
    List<String> command = new ArrayList<>(List.of("iolite"));
    command.addAll(Arrays.asList(arguments));
    command.addAll(List.of("--run-dir", directory.toString(), SeedLife.IVSHMEM.toString()));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  /** It may also end before. */
  private String killAfter(int lines, boolean isHeld) throws IOException, InterruptedException {
    Process victim = (isHeld ? iolite("tdi", "assign", "--hold") : iolite("tdi", "assign")).start();
    String last = "";
    try (BufferedReader said = output(victim)) {
      try (OutputStream wishes = victim.getOutputStream()) {
        wishes.write((isHeld ? WISHES : "").getBytes(StandardCharsets.UTF_8));
      }
      for (int i = 0; i < lines; i++) {
        String line = said.readLine();
        if (line == null) {
          ended++;
          break;
        }
        last = line;
      }
      victim.destroyForcibly();
    }
    assertThat(victim.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return last;
  }

  private void recover(String where) throws IOException, InterruptedException {
    Process recovery = iolite("tdi", "recover").start();
    try (BufferedReader said = output(recovery)) {
      String text = String.join("\n", said.lines().toList());
      assertThat(recovery.waitFor()).as("%s; recovery said:%n%s", where, text).isZero();
    }
  }

  private static BufferedReader output(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }
}
