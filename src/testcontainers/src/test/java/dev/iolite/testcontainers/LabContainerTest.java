package dev.iolite.testcontainers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.utility.DockerImageName;

/** What a container is made with; {@code ContainerLabIT} runs one. */
class LabContainerTest {
  private static final DockerImageName IMAGE = DockerImageName.parse("iolite-lab:latest");

  @TempDir private Path directory;

  private LabContainer staged() throws IOException {
    for (String name : new String[] {"boot", "kernel", "initramfs"}) {
      Files.createFile(directory.resolve(name));
    }
    return new LabContainer(IMAGE, directory);
  }

  private static String command(LabContainer lab) {
    lab.configure();
    return lab.getCommandParts()[2];
  }

  @Test
  void aDirectoryThatWasNotStagedIsRefused() throws IOException {
    Files.createFile(directory.resolve("boot"));
    assertThatThrownBy(() -> new LabContainer(IMAGE, directory))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "%s is no staged lab, as it has no file kernel; docs/lab.md says how to stage one",
            directory);
  }

  @Test
  void itBootsTheStandardMachineForFiveMinutes() throws IOException {
    assertThat(command(staged()))
        .endsWith(
            "exec /lab/boot --machine 'standard' --deadline 300 /lab/kernel /lab/initramfs"
                + " /tmp/run");
  }

  @Test
  void itBootsAnotherMachineForSoLong() throws IOException {
    LabContainer lab = staged().withMachine("sriov").withDeadline(Duration.ofSeconds(90));
    assertThat(command(lab)).contains("--machine 'sriov' --deadline 90 ");
  }

  @Test
  void noWordOfAProgramMeansSomethingToTheShell() {
    assertThat(LabContainer.script("/host/my_test", "it's", "$HOME"))
        .isEqualTo("exec '/host/my_test' 'it'\\''s' '$HOME'\n");
  }
}
