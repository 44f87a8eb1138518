package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.steps.Holdings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
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
  @TempDir private Path directory;

  private final SeedLife life = new SeedLife();

  @Test
  void whereverItIsKilledRecoveryReleasesAllThatItHeld(int kills)
      throws IOException, InterruptedException {
    Random random = new Random(20250717);
    Holdings before = life.holdings();
    int ended = 0;
    for (int i = 0; i < kills; i++) {
      KilledCommand victim = new KilledCommand(directory, random);
      victim.kill();
      ended += victim.hadEnded() ? 1 : 0;
      victim.recover();
      String where = "run %d: %s".formatted(i + 1, victim);
      assertThat(life.holdings()).as(where).isEqualTo(before);
      life.requireFree(where);
      assertThat(directory).as(where).isEmptyDirectory();
      life.live(life.assignment());
      System.out.println(where);
    }
    System.out.printf("%d processes killed, %d more had ended before%n", kills - ended, ended);
    assertThat(ended).isLessThan(kills);
  }
}
