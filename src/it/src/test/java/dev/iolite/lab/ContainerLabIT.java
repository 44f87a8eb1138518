package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.exception.NotFoundException;
import dev.iolite.testcontainers.LabContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.utility.DockerImageName;

/**
 * Runs the lab in a container that has QEMU and nothing of this project but what is mounted: on a
 * machine that has another QEMU, or none, the scenario ends the same.
 */
class ContainerLabIT {
  private static final String IMAGE =
      System.getenv().getOrDefault("IOLITE_LAB_IMAGE", "iolite-lab:latest");

  @BeforeAll
  static void assumeImage() throws IOException, InterruptedException {
    LabScript.assumeBuilt();
    Assumptions.assumeTrue(
        DockerClientFactory.instance().isDockerAvailable(),
        "no container engine answers; scripts/ci-container COMMAND runs one for a command");
    try {
      DockerClientFactory.lazyClient().inspectImageCmd(IMAGE).exec();
    } catch (NotFoundException e) {
      Assumptions.abort(
          "the container engine has no image " + IMAGE + "; scripts/ci-container makes it");
    }
  }

  /** A lab whose command is in the directory, or, with no arguments, still open. */
  private static LabContainer lab(Path directory, String... arguments)
      throws IOException, InterruptedException {
    String[] words = new String[arguments.length + 3];
    words[0] = "stage";
    words[1] = "--as-built";
    words[2] = directory.toString();
    System.arraycopy(arguments, 0, words, 3, arguments.length);
    LabScript.Result staged = LabScript.run(words);
    assertThat(staged.exitCode()).as(staged.output()).isZero();
    return new LabContainer(DockerImageName.parse(IMAGE), directory);
  }

  @Test
  void assignsADeviceInAContainer(@TempDir Path directory)
      throws IOException, InterruptedException {
    try (LabContainer lab = lab(directory, "passthrough")) {
      lab.start();
      assertThat(lab.exitCode()).as(lab.errors()).isZero();
      assertThat(lab.output()).contains("0000:00:02.0");
    }
  }

  /** Each machine is one that the image's QEMU can be, which is another than this machine's. */
  @ParameterizedTest
  @ValueSource(strings = {"sriov", "noiommu", "noremap", "firmware", "nested"})
  void runsAProgramOfTheTests(String machine, @TempDir Path directory, @TempDir Path own)
      throws IOException, InterruptedException {
    Path program =
        Files.writeString(
            own.resolve("program"), "#!/bin/sh\nls /sys/bus/pci/devices\necho $1 >&2\nexit 3\n");
    try (LabContainer lab =
        lab(directory)
            .withMachine(machine)
            .withDeadline(Duration.ofMinutes(4))
            .withHostFile(program)
            .withProgram("/host/program", "it's $HOME")) {
      lab.start();
      assertThat(lab.exitCode()).isEqualTo(3);
      assertThat(lab.output()).contains("0000:00:02.0");
      assertThat(lab.output().contains("0000:03:00.0")).isEqualTo(machine.equals("sriov"));
      assertThat(lab.errors()).contains("it's $HOME");
    }
  }
}
