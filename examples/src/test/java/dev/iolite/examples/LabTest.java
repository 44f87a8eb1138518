package dev.iolite.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.testcontainers.LabContainer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.testcontainers.utility.DockerImageName;

/** Runs a program on a real kernel: in the lab, which is in a container. */
@EnabledIfEnvironmentVariable(
    named = "IOLITE_LAB",
    matches = ".+",
    disabledReason = "IOLITE_LAB names no directory that scripts/lab stage has made")
class LabTest {
  @Test
  void theLabHasAnEdu() {
    String staged = System.getenv("IOLITE_LAB");
    try (LabContainer lab =
        new LabContainer(DockerImageName.parse("iolite-lab:latest"), Path.of(staged))
            .withProgram("iolite", "pci", "show", "0000:00:02.0")) {
      lab.start();
      assertEquals(0, lab.exitCode(), lab.errors());
      assertTrue(lab.output().contains("1234:11e8"), lab.output());
    }
  }
}
