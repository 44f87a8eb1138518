package dev.iolite.tdi.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.State;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a recovery says about the process that left the journal. */
class FoundTest {
  private static final PciAddress DEVICE = PciAddress.parse("0000:00:07.0");

  @TempDir private Path path;

  private Recovery.Found found(List<Map<String, String>> entries) throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    for (Map<String, String> entry : entries) {
      int number = entries.indexOf(entry) + 1;
      file.writeBytes(JournalRecords.line(number, number - 1, entry));
    }
    Machine machine = new Machine().function(DEVICE.toString(), TdispEndpoint.model());
    try (MockKernel kernel = MockKernel.builder().machine(machine).build();
        PrivateDirectory directory = PrivateDirectory.make(new HostKernel(), path)) {
      Files.write(path.resolve(Journal.name(DEVICE)), file.toByteArray());
      return new Recovery(kernel, directory, DEVICE, Journal.THIS_HOST, AssignmentListener.none())
          .run()
          .orElseThrow();
    }
  }

  private static Map<String, String> begin(String process) {
    return Map.of("event", "begin", "device", DEVICE.toString(), "process", process);
  }

  private static Map<String, String> step(String name) {
    return Map.of("event", "step", "name", name);
  }

  private static Map<String, String> state(State state) {
    return Map.of("event", "state", "state", state.toString());
  }

  @Test
  void itsStepsAreNamedInTheirOrderAndItsLastStateIsTold() throws IOException {
    Recovery.Found found =
        found(
            List.of(begin("7"), step("one"), state(State.SHARED), step("two"), state(State.SPLIT)));
    assertThat(found).isEqualTo(new Recovery.Found(7, State.SPLIT, List.of("one", "two")));
  }

  @ParameterizedTest
  @CsvSource({"4711,4711", "no number,0", "1234567890123456789,0", "-1,0"})
  void aProcessWithoutANumberIsUnknown(String process, long number) throws IOException {
    assertThat(found(List.of(begin(process))))
        .isEqualTo(new Recovery.Found(number, State.UNASSIGNED, List.of()));
  }
}
