package dev.iolite.testcontainers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame.OutputType;
import org.testcontainers.containers.startupcheck.StartupCheckStrategy;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.DockerStatus;
import org.testcontainers.utility.MountableFile;

/**
 * The lab in a container: a machine in QEMU with a real Linux kernel, an IOMMU and PCI devices, in
 * which a test runs one program.
 *
 * <p>{@code scripts/lab stage DIRECTORY} in a checkout of iolite makes the directory that it needs:
 * the kernel, its root file system, and the script that boots them. The image needs a shell and
 * QEMU, such as the one that {@code scripts/ci-container} makes. The machine is emulated, so
 * neither it nor the container needs privileges, KVM or a network.
 *
 * <p>{@link #start} boots the machine and returns once the program has ended and the machine is
 * off, which takes a minute or more. After that, {@link #exitCode}, {@link #output} and {@link
 * #errors} say how the program ended.
 */
public final class LabContainer extends GenericContainer<LabContainer> {
  private static final String LAB = "/lab";
  private static final String RUN = "/tmp/run";
  private static final String HOST = RUN + "/host";

  /** For the container engine, beyond what the machine may take. */
  private static final Duration START = Duration.ofMinutes(1);

  private final Path staged;
  private String machine = "standard";
  private Duration deadline = Duration.ofMinutes(5);

  /**
   * The lab of a directory.
   *
   * @param image has QEMU 7.2 or newer
   * @param staged a directory of this machine that {@code scripts/lab stage} has made
   * @throws IllegalArgumentException if it is not such a directory
   */
  public LabContainer(DockerImageName image, Path staged) {
    super(image);
    this.staged = staged.toAbsolutePath();
    for (String name : List.of("boot", "kernel", "initramfs")) {
      if (!Files.isReadable(staged.resolve(name))) {
        throw new IllegalArgumentException(
            "%s is no staged lab, as it has no file %s; docs/lab.md says how to stage one"
                .formatted(staged, name));
      }
    }
  }

  /** Copies a file into the guest's {@code /host}, where it is executable. */
  public LabContainer withHostFile(Path file) {
    return withCopyFileToContainer(
        MountableFile.forHostPath(file, 0755), HOST + "/" + file.getFileName());
  }

  /**
   * Sets the program that the guest runs, if none was given to {@code scripts/lab stage}.
   *
   * @param command the program and its arguments: {@code iolite}, one of busybox, or a statically
   *     linked one in {@code /host}
   */
  public LabContainer withProgram(String... command) {
    return withCopyToContainer(Transferable.of(script(command)), HOST + "/command");
  }

  static String script(String... command) {
    return Arrays.stream(command)
        .map(LabContainer::quoted)
        .collect(Collectors.joining(" ", "exec ", "\n"));
  }

  /** Single quotes protect all but themselves. */
  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  /** Sets which of the lab's machines it is, such as {@code sriov}. */
  public LabContainer withMachine(String name) {
    machine = name;
    return this;
  }

  /** Sets when the machine is switched off at the latest; 5 minutes after its start by default. */
  public LabContainer withDeadline(Duration longest) {
    deadline = longest;
    return this;
  }

  @Override
  protected void configure() {
    withStartupCheckStrategy(new UntilOff().withTimeout(deadline.plus(START)));
    // Not withFileSystemBind: it first pulls an image to try a mount with.
    withCreateContainerCmdModifier(create ->
        create.withHostConfig(
            HostConfig.newHostConfig()
                .withNetworkMode("none")
                .withBinds(new Bind(staged.toString(), new Volume(LAB), AccessMode.ro))));
    withCommand("sh", "-c", "mkdir -p " + HOST + " && exec " + String.join(" ", boot()));
  }

  private List<String> boot() {
    return List.of(
        LAB + "/boot",
        "--machine",
        quoted(machine),
        "--deadline",
        Long.toString(deadline.toSeconds()),
        LAB + "/kernel",
        LAB + "/initramfs",
        RUN);
  }

  /**
   * The program's exit code.
   *
   * @throws IllegalStateException if it has not ended
   */
  public long exitCode() {
    return Optional.ofNullable(getCurrentContainerInfo().getState().getExitCodeLong())
        .orElseThrow(() -> new IllegalStateException("the lab has not ended"));
  }

  /** What the program wrote to its standard output. */
  public String output() {
    return getLogs(OutputType.STDOUT);
  }

  /** What the program wrote to its standard error, and what the lab had to say. */
  public String errors() {
    return getLogs(OutputType.STDERR);
  }

  /** The machine is off. Only a failure of the lab itself is one of the container. */
  private static final class UntilOff extends StartupCheckStrategy {
    private static final Long LAB_FAILED = 125L;

    @Override
    public StartupStatus checkStartupState(DockerClient client, String id) {
      InspectContainerResponse.ContainerState state = getCurrentState(client, id);
      if (!DockerStatus.isContainerStopped(state)) {
        return StartupStatus.NOT_YET_KNOWN;
      }
      return Objects.equals(state.getExitCodeLong(), LAB_FAILED)
          ? StartupStatus.FAILED
          : StartupStatus.SUCCESSFUL;
    }
  }
}
