package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.pci.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The JSON schema of recordings accepts what is recorded, and refuses what the reader refuses. */
class RecordingSchemaTest {
  private static final Path FILE = Path.of("docs", "recording-1.schema.json");
  private static final Path SMALL = Path.of("src/it/src/test/fuzz/recording/small");

  private final JsonSchema schema;

  RecordingSchemaTest() throws IOException {
    schema = new JsonSchema(JsonMapper.shared().readTree(Files.readString(FILE)));
  }

  private List<String> problems(String yaml) {
    return schema.problems(YAMLMapper.shared().readTree(yaml));
  }

  @Test
  void acceptsWhatIsRecorded() throws IOException {
    List<MockKernel> hosts =
        List.of(
            MockKernel.plain(),
            MockKernel.tdx(),
            MockKernel.sev(),
            MockKernel.builder().machine(Machine.sriov()).build());
    for (MockKernel host : hosts) {
      try (host) {
        Cli.runOn(host, "pci", "bind", "0000:00:02.0");
        assertThat(problems(Cli.runOn(host, "record").out())).isEmpty();
      }
    }
    assertThat(problems(Files.readString(SMALL))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          recording: 1 | recording: 2
          irq: 24 | irrq: 24
          irq: 24 | irq: many
          platform: plain | platform: power
          kind: msi | kind: msy
          config-bytes: 256 | config-bytes: 300
          0x010: 00 00 | 0x010 00 00
          "0000:3b:00.0" | "3b:00.0"
          driver: "vfio-pci" | driver: "../x"
          physical-address-bits: 46 | physical-address-bits: 31
          """)
  void refusesWhatTheReaderRefuses(String from, String to) throws IOException {
    String text = Files.readString(SMALL);
    assertThat(text).contains(from);
    assertThat(problems(text.replace(from, to))).isNotEmpty();
  }
}
