package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tdi assign} on the lab's kernel seed-2025, as a user runs it. */
class SeedLabIT {
  private static final String IVSHMEM = "0000:00:07.0";

  @BeforeEach
  void onlyWithItsKernel() throws IOException, InterruptedException {
    LabScript.assumeBuilt("seed-2025");
  }

  /** The kernel's own options go with it: without them the TSM takes no device. */
  @Test
  void aMachineThatIsBootedElsewhereGoesThroughAllOfIt(@TempDir Path directory)
      throws IOException, InterruptedException {
    Path staged = directory.resolve("staged");
    LabScript.Result stage =
        LabScript.run(
            "--kernel",
            "seed-2025",
            "stage",
            "--as-built",
            staged.toString(),
            "tdi",
            "assign",
            IVSHMEM);
    assertThat(stage.exitCode()).as(stage.output()).isZero();
    Path run = directory.resolve("run");
    Files.createDirectories(run.resolve("host"));
    LabScript.Result boot =
        LabScript.runScript(
            staged.resolve("boot"),
            staged.resolve("kernel").toString(),
            staged.resolve("initramfs").toString(),
            run.toString());
    assertThat(boot.exitCode()).as(boot.output()).isZero();
    assertThat(boot.output())
        .contains("7  stop and unbind the interface")
        .contains("Nothing is missing here (UAPI profile seed-2025).")
        .contains("All steps succeeded");
  }

  /** The kernel has all calls, and its TSM takes no device. */
  @Test
  void withoutAUsableTsmTheSharedHalfIsDoneAndWhatIsMissingIsNamed()
      throws IOException, InterruptedException {
    LabScript.Result run =
        LabScript.run(
            "--kernel",
            "seed-2025",
            "run",
            "--as-built",
            "--append",
            "tsm_sim.tdi=",
            "tdi",
            "assign",
            "--all",
            "0000:00:03.0");
    assertThat(run.exitCode()).as(run.output()).isZero();
    assertThat(run.output())
        .contains("UAPI profile seed-2025")
        .contains("look for the host's TSM: none that can be connected")
        .contains("1  give the BARs to guest and IOAS, shared")
        .contains("after a reset the guest reads the BARs again")
        .doesNotContain("3  bind the interface")
        .contains("What is missing here (UAPI profile seed-2025):")
        .contains("0000:00:03.0 has no tsm/ in sysfs")
        .contains("All steps succeeded");
  }
}
