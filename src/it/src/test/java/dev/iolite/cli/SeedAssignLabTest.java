package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the lab's kernel seed-2025. */
@Tag("seed")
class SeedAssignLabTest extends SeedAssignSuite {
  SeedAssignLabTest() {
    super("host");
  }

  @Test
  void whoHasNotSaidWhichVmIsTold(@TempDir Path directory) {
    Cli cli =
        Cli.runWith(
            "quit\n", "tdi", "assign", "--hold", "--run-dir", directory.toString(), "00:07.0");
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("(type SW_PROTECTED)")
        .contains("SW_PROTECTED, which software alone protects. --vm chooses another.");
  }
}
