package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tsm.Profile;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code iolite tsm} on models. */
class TsmCommandTest {
  private static final String ENDPOINT = "0000:00:07.0";

  private static Cli run(Kernel kernel, String line) {
    return Cli.runOn(kernel, line.split(" ", -1));
  }

  private static JsonNode json(MockKernel kernel, String line) {
    Cli cli = run(kernel, "-o json " + line);
    assertThat(cli.code()).as(cli.err()).isZero();
    return JsonMapper.shared().readTree(cli.out());
  }

  @Test
  void aFunctionIsConnectedListedAndDisconnected() {
    try (MockKernel kernel = MockKernel.tdx()) {
      Cli connected = run(kernel, "tsm connect 00:07.0");
      assertThat(connected.err()).isEmpty();
      assertThat(connected.code()).isZero();
      assertThat(connected.out().strip()).isEqualTo(ENDPOINT + ": connected to tsm0");

      assertThat(run(kernel, "tsm list").out())
          .containsPattern("TSMs +tsm0")
          .containsPattern(ENDPOINT + " +tsm0 +- +" + ENDPOINT);
      JsonNode list = json(kernel, "tsm list");
      assertThat(list.get("tsms").get(0).asString()).isEqualTo("tsm0");
      JsonNode function =
          list.get("functions")
              .valueStream()
              .filter(one -> one.get("address").asString().equals(ENDPOINT))
              .findFirst()
              .orElseThrow();
      assertThat(function.get("tsm").get("connect").asString()).isEqualTo("tsm0");

      assertThat(run(kernel, "tsm disconnect 00:07.0").out().strip())
          .isEqualTo(ENDPOINT + ": not connected");
      assertThat(
              json(kernel, "tsm connect 00:07.0 --tsm tsm0").get("tsm").get("connect").asString())
          .isEqualTo("tsm0");
    }
  }

  @Test
  void aSessionThatAVmNeedsIsNotEnded() {
    try (Rehearsal host = Rehearsal.of(Platform.TDX, Profile.SEED_2025);
        TdiAssignment tdi =
            new TdiAssignment(
                new AssignmentOptions(host.kernel(), PciAddress.parse(ENDPOINT))
                    .withVmType(host.vmType()))) {
      tdi.assign();
      tdi.bind();
      Cli refused = run(host.kernel(), "tsm disconnect 00:07.0");
      assertThat(refused.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(refused.err())
          .contains("a VM has the interface of " + ENDPOINT)
          .containsPattern("Next: end the VM or unbind the interface");
      assertThat(run(host.kernel(), "tsm list").out()).containsPattern(ENDPOINT + " +tsm0 +tsm0");
    }
  }

  @Test
  void theKernelsRefusalIsToldWithItsCode() {
    try (MockKernel kernel = MockKernel.sev()) {
      assertThat(run(kernel, "tsm connect 00:07.0").code()).isZero();
      Cli again = run(kernel, "tsm connect 00:07.0");
      assertThat(again.code()).isEqualTo(ExitCode.KERNEL);
      assertThat(again.err())
          .contains("tsm/connect on 0000:00:07.0 with tsm0: EBUSY")
          .contains("iolite tsm disconnect 0000:00:07.0");
    }
  }

  @Test
  void whatIsMissingIsTold() {
    try (MockKernel kernel = MockKernel.plain()) {
      assertThat(run(kernel, "tsm list").out()).containsPattern("TSMs +none");
      Cli connect = run(kernel, "tsm connect 00:07.0");
      assertThat(connect.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(connect.err()).contains("find the host's TSM: there is none");
      Cli disconnect = run(kernel, "tsm disconnect 00:07.0");
      assertThat(disconnect.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(disconnect.err()).contains("it is connected to no TSM");
      assertThat(run(kernel, "tsm connect").code()).isEqualTo(ExitCode.USAGE);
    }
  }
}
