package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On real devices, each command does its work with what its row has and no more, and says what is
 * missing if it has less.
 */
@Tag("lab")
class PrivilegesLabTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";
  private static final String KVM = "/dev/kvm";
  private static final String IOMMUFD = "/dev/iommu";
  private static final int ROOT = 0;

  /** Less than a guest has. */
  private static final int LITTLE_MEMORY = 64;

  /** It needs nothing. */
  private static final Privileges NONE = Confined.row("pci list");

  @TempDir private Path directory;

  @BeforeEach
  void capabilitiesCanBeTakenAway() throws Exception {
    Confined.assumePossible();
  }

  @AfterEach
  void nodesAreRootsAgain() throws IOException {
    give(KVM, ROOT);
    give(IOMMUFD, ROOT);
  }

  private static void give(String node, int user) throws IOException {
    Files.setAttribute(Path.of(node), "unix:uid", user);
  }

  /** The guest's own command starts in a fraction of the time. */
  private Confined confined() {
    return new Confined(directory, List.of("/bin/iolite"));
  }

  private static Cli succeeded(String command, Cli cli) {
    assertThat(cli.code()).as(command + ": " + cli.err()).isZero();
    return cli;
  }

  private Cli succeeds(String command) throws Exception {
    return succeeded(command, confined().run("", command));
  }

  private Cli succeedsForUser(String command) throws Exception {
    return succeeded(command, confined().runAsUser(command));
  }

  private static void refused(Cli cli, int code, String... parts) {
    assertThat(cli.code()).as(cli.err()).isEqualTo(code);
    assertThat(cli.err()).contains(parts).contains("Next: ");
  }

  private static PciDevice device(String address) {
    return new Pci(new HostKernel()).device(PciAddress.parse(address));
  }

  @Test
  void whatOnlyLooksIsAnybodys() throws Exception {
    assertThat(succeedsForUser("pci list").out()).contains(EDU, NVME);
    assertThat(succeedsForUser("pci show " + NVME).out()).contains("MSI-X");
    succeedsForUser("tsm list");
    succeedsForUser("uapi KVM_RUN");
  }

  @Test
  void whatAsksKvmNeedsItsNodeOnly() throws Exception {
    give(KVM, Confined.OTHER_USER);
    succeedsForUser("kvm info");
    succeedsForUser("kvm hello");
  }

  @Test
  void aFunctionThatRootHasBoundIsLookedAtByTheOwnerOfTheNodes() throws Exception {
    succeeds("pci bind " + EDU);
    try {
      String cdev = device(EDU).requireVfioCdev();
      refused(confined().runAsUser("vfio info " + EDU), ExitCode.KERNEL, cdev, "EACCES");
      give(cdev, Confined.OTHER_USER);
      refused(confined().runAsUser("iommu info " + EDU), ExitCode.KERNEL, IOMMUFD, "EACCES");
      give(IOMMUFD, Confined.OTHER_USER);
      give(KVM, Confined.OTHER_USER);
      succeedsForUser("vfio info " + EDU);
      succeedsForUser("iommu info " + EDU);
      assertThat(succeedsForUser("doctor").out()).doesNotContain("missing");
    } finally {
      succeeds("pci unbind " + EDU);
    }
  }

  @Test
  void withoutItsNodeACommandNamesIt() throws Exception {
    refused(confined().runAsUser("kvm info"), ExitCode.KERNEL, KVM, "EACCES");
  }

  @Test
  void anIoctlOfANodeThatTheRowDoesNotNameKillsTheCommand() throws Exception {
    assertThat(confined().runAs(NONE, "", "kvm info").code()).isEqualTo(SystemCallFilter.KILLED);
    assertThat(confined().runAs(Confined.row("kvm info"), "", "doctor").code())
        .isEqualTo(SystemCallFilter.KILLED);
  }

  @Test
  void aDeviceIsAssignedToAGuest() throws Exception {
    succeeds("passthrough " + EDU);
  }

  @Test
  void aHeldInterfaceIsShownAndIsGivenBackWhenItsHolderWasKilled() throws Exception {
    String run = " --run-dir " + directory.resolve("run") + " ";
    Optional<String> before = device(NVME).driver();
    Process holder = confined().begin("tdi assign --hold" + run + NVME);
    try (BufferedReader printed = holder.inputReader()) {
      assertThat(printed.lines().takeWhile(line -> !line.startsWith("Held.")).toList())
          .noneMatch(line -> line.startsWith("iolite: "));
      assertThat(succeeds("tdi show" + run + NVME).out()).containsPattern("state +shared");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertThat(device(NVME).driver()).contains("vfio-pci");
    succeeds("tdi recover" + run + NVME);
    assertThat(device(NVME).driver()).isEqualTo(before);
  }

  @Test
  void withoutCapSysAdminLessOfTheFunctionIsShown() throws Exception {
    Cli less = confined().runAs(NONE, "", "pci show " + NVME);
    assertThat(less.code()).isZero();
    assertThat(less.out()).doesNotContain("MSI-X").contains("CAP_SYS_ADMIN");
  }

  /** The lab's first process has capabilities that this one lacks. */
  @Test
  void withoutCapSysPtraceADeviceIsNotKnownToBeFree() throws Exception {
    isLeftAlone("pci bind " + NVME);
    isLeftAlone("passthrough " + NVME);
    succeeds("pci bind " + NVME);
    isLeftAlone("pci unbind " + NVME);
    succeeds("pci unbind " + NVME);
  }

  private void isLeftAlone(String command) throws Exception {
    Optional<String> before = device(NVME).driver();
    refused(
        confined().runAs(NONE, "", command),
        ExitCode.PRECONDITION,
        "whether another process has the device open can't be seen",
        "CAP_SYS_PTRACE");
    assertThat(device(NVME).driver()).isEqualTo(before);
  }

  @Test
  void theMemlockLimitOrCapIpcLockIsEnough() throws Exception {
    Confined little = confined().withMemlock(LITTLE_MEMORY);
    Privileges all = Confined.row("passthrough");
    List<Privileges.Capability> others =
        all.capabilities().stream().filter(c -> c != Privileges.Capability.CAP_IPC_LOCK).toList();
    Privileges locksNothing =
        new Privileges(all.command(), all.user(), others, all.nodes(), all.limits());
    refused(
        little.runAs(locksNothing, "", "passthrough " + EDU),
        ExitCode.KERNEL,
        "ENOMEM",
        "ulimit -l",
        "CAP_IPC_LOCK");
    succeeded("CAP_IPC_LOCK", little.run("", "passthrough " + EDU));
    succeeded("memlock", confined().runAs(locksNothing, "", "passthrough " + EDU));
  }
}
