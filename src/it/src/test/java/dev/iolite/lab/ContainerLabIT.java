package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.startupcheck.OneShotStartupCheckStrategy;

/**
 * Runs the lab in a container that has QEMU and nothing of this project but what is mounted: on a
 * machine that has another QEMU, or none, the scenario ends the same.
 */
class ContainerLabIT {
  private static final String DEFAULT_IMAGE = "iolite-lab:latest";

  @Test
  void assignsADeviceInAContainer(@TempDir Path directory)
      throws IOException, InterruptedException {
    LabScript.assumeBuilt();
    String image = System.getenv().getOrDefault("IOLITE_LAB_IMAGE", DEFAULT_IMAGE);
    assumeImage(image);
    LabScript.Result staged =
        LabScript.run("stage", "--as-built", directory.toString(), "passthrough");
    assertThat(staged.exitCode()).as(staged.output()).isZero();

    try (GenericContainer<?> lab = new GenericContainer<>(image)) {
      // Not withFileSystemBind: it first pulls an image to try a mount with.
      lab.withCreateContainerCmdModifier(create ->
              create.withHostConfig(
                  HostConfig.newHostConfig()
                      .withNetworkMode("none")
                      .withBinds(
                          new Bind(directory.toString(), new Volume("/lab"), AccessMode.ro))))
          .withCommand(
              "sh",
              "-c",
              "mkdir -p /tmp/run/host && exec /lab/boot /lab/kernel /lab/initramfs /tmp/run")
          .withStartupCheckStrategy(
              new OneShotStartupCheckStrategy().withTimeout(Duration.ofMinutes(6)));

      // Waits until the container has ended, and throws with its output if not with exit code 0.
      lab.start();

      assertThat(lab.getLogs()).contains("0000:00:02.0");
    }
  }

  private static void assumeImage(String image) {
    Assumptions.assumeTrue(
        DockerClientFactory.instance().isDockerAvailable(),
        "no container engine answers; scripts/ci-container COMMAND runs one for a command");
    try {
      DockerClientFactory.lazyClient().inspectImageCmd(image).exec();
    } catch (NotFoundException e) {
      Assumptions.abort(
          "the container engine has no image " + image + "; scripts/ci-container makes it");
    }
  }
}
