package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On real devices, each command does its work with the capabilities of its row and no others. */
@Tag("lab")
class PrivilegesLabTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";

  @TempDir private Path directory;

  @BeforeEach
  void capabilitiesCanBeTakenAway() throws Exception {
    Confined.assumePossible();
  }

  /** The guest's own command starts in a fraction of the time. */
  private Confined confined() {
    return new Confined(directory, List.of("/bin/iolite"));
  }

  private Cli succeeds(String command) throws Exception {
    Cli cli = confined().run("", command);
    assertThat(cli.code()).as(command + ": " + cli.err()).isZero();
    return cli;
  }

  @Test
  void whatOnlyLooksNeedsNone() throws Exception {
    assertThat(succeeds("doctor").out()).doesNotContain("missing");
    assertThat(succeeds("pci list").out()).contains(EDU, NVME);
    succeeds("pci show " + NVME);
    succeeds("tsm list");
    succeeds("kvm info");
    succeeds("kvm hello");
  }

  @Test
  void aFunctionIsBoundLookedAtAndGivenBack() throws Exception {
    succeeds("pci bind " + EDU);
    try {
      succeeds("vfio info " + EDU);
      succeeds("iommu info " + EDU);
    } finally {
      succeeds("pci unbind " + EDU);
    }
  }

  @Test
  void aDeviceIsAssignedToAGuest() throws Exception {
    succeeds("passthrough " + EDU);
    succeeds("tdi assign --run-dir " + directory.resolve("run") + " " + NVME);
  }

  /** What the table says of CAP_SYS_ADMIN: without it, there are no more than 64 bytes. */
  @Test
  void withoutItsCapabilityLessOfTheFunctionIsShown() throws Exception {
    Cli less = confined().runAs(Confined.row("pci list"), "", "pci show " + NVME);
    assertThat(less.code()).isZero();
    assertThat(succeeds("pci show " + NVME).out()).contains("MSI-X");
    assertThat(less.out()).doesNotContain("MSI-X");
  }
}
