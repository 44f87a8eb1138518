package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.BrokenReport;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tsm.Profile;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code tdi assign} of a device that lies, or that another VM has. */
class TdiRefusedTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");

  @TempDir private Path directory;

  private final MockKernel kernel = Rehearsal.of(Platform.TDX, Profile.SEED_2025).kernel();

  @AfterEach
  void exit() {
    kernel.close();
  }

  private TdiAssignment assignment() {
    return new TdiAssignment(new AssignmentOptions(kernel, ENDPOINT).withVmType(VmType.TDX));
  }

  private Cli assign() {
    return Cli.runOn(
        kernel, "tdi", "assign", "--vm", "tdx", "--run-dir", directory.toString(), "00:07.0");
  }

  private byte[] report() {
    try (TdiAssignment assignment = assignment()) {
      assignment.assign();
      assignment.bind();
      return assignment.report().orElseThrow();
    }
  }

  @ParameterizedTest
  @EnumSource(BrokenReport.class)
  void aDeviceWithABrokenReportFailsTheCheckAndNothingIsHeld(BrokenReport broken) {
    kernel.tsm().answerReport(ENDPOINT.toString(), broken.of(report()));
    Holdings before = Holdings.of(kernel, ENDPOINT);
    Cli cli = assign();
    assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("iolite: device interface report, byte ", broken.said());
    assertThat(Holdings.of(kernel, ENDPOINT)).isEqualTo(before);
    assertThat(kernel.tsm().state(ENDPOINT.toString())).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aDeviceThatAnotherVmHasIsRefusedAndStaysTheirs() {
    try (TdiAssignment first = assignment()) {
      first.assign();
      first.bind();
      first.start();
      Holdings held = Holdings.of(kernel, ENDPOINT);
      Cli cli = assign();
      assertThat(cli.err())
          .contains("VFIO_DEVICE_BIND_IOMMUFD", "the device is open in another process", "fuser")
          .doesNotContain("on the way out");
      assertThat(cli.out())
          .containsPattern("(?m)^FAILED .* bind the device to iommufd: ")
          .containsPattern("(?s)VFIO_DEVICE_BIND_IOMMUFD \\{argsz=.*\\) = EINVAL")
          .containsPattern("(?m)^FAILED .* make host and guest ready: ")
          .containsPattern("(?m)^ok .* give everything back: ")
          .doesNotContain("What was checked");
      assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
      assertThat(Holdings.of(kernel, ENDPOINT)).isEqualTo(held);
      assertThat(first.refresh()).isEqualTo(State.RUNNING);
      assertThat(directory).isEmptyDirectory();
    }
  }
}
