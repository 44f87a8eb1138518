package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.Ioctls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code -o jsonl} prints: an object on each line, as the schema says. */
class JsonLinesTest {
  private static final Path FILE = Path.of("docs", "lines-1.schema.json");
  private static final String HELD =
      """
      show
      bind
      show
      measurements
      read 0x2000000
      ask start
      ask bind
      ask report 0x2000
      reset
      sleep
      wake
      refresh
      config 0
      svg
      svg %s
      help
      nonsense
      unbind
      quit
      """;

  private final JsonSchema schema;

  @TempDir private Path directory;

  JsonLinesTest() throws IOException {
    schema = new JsonSchema(JsonMapper.shared().readTree(Files.readString(FILE)));
  }

  private List<JsonNode> valid(String out) {
    assertThat(out).endsWith("}\n");
    List<JsonNode> lines = out.lines().map(JsonMapper.shared()::readTree).toList();
    assertThat(lines)
        .allSatisfy(line -> assertThat(schema.problems(line)).as(line.toString()).isEmpty());
    return lines;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mock:tdx tdi assign",
        "mock:tdx:intel-rfc-2025 tdi assign",
        "mock:sev tdi assign",
        "mock:plain tdi assign",
        "mock:tdx passthrough",
        "mock:tdx doctor",
        "host doctor"
      })
  void eachLineIsValid(String command) {
    Cli cli = Cli.run(("--kernel " + command + " -o jsonl").split(" "));
    assertThat(valid(cli.out())).hasSizeGreaterThan(5);
  }

  @Test
  void aHeldInterfaceAnswersEachCommandWithALine() {
    String input = HELD.formatted(directory.resolve("drawing.svg"));
    Cli cli =
        Cli.runWith(
            input,
            "--kernel",
            "mock:tdx",
            "tdi",
            "assign",
            "--hold",
            "-o",
            "jsonl",
            "--run-dir",
            directory.resolve("run").toString());
    assertThat(valid(cli.out()))
        .hasSize((int) input.lines().count() + 2)
        .extracting(line -> line.get("command").asString())
        .startsWith("assign", "show", "bind")
        .endsWith("unbind", "quit", "release");
  }

  /** Nothing waits for the end: the lines of a failed run are those up to the failure. */
  @Test
  void linesAreThereBeforeTheRunFails() {
    try (MockKernel kernel = MockKernel.tdx()) {
      Calls map = Calls.ofIoctl("IOMMU_IOAS_MAP_FILE", Ioctls.ofHeaders()).orElseThrow();
      Faults fault = Faults.none().fail(map, 1, Errno.ENOMEM, Faults.When.BEFORE);
      Cli cli = Cli.runOn(new FaultyKernel(kernel, fault), "passthrough", "-o", "jsonl");
      assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
      assertThat(valid(cli.out()))
          .filteredOn(line -> !line.get("succeeded").asBoolean())
          .singleElement()
          .asString()
          .contains("ENOMEM");
    }
  }

  @Test
  void aCommandThatPrintsOneThingHasNoLines() {
    Cli cli = Cli.run("pci", "list", "-o", "jsonl");
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
    assertThat(cli.err()).contains("iolite pci list prints table (the default) or json, not jsonl");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"stage":"a"} | {"stage":1}
          {"state":"shared","ledger":[],"layout":null} | {"state":"lost","ledger":[],"layout":null}
          {"check":{"what":"a","isSo":true,"seen":"b"}} | {"check":{"what":"a","isSo":"b"}}
          {"remark":"a"} | {"remark":"a","more":1}
          """)
  void theSchemaRefusesWhatIsNoLine(String line, String wrong) {
    assertThat(schema.problems(JsonMapper.shared().readTree(line))).isEmpty();
    assertThat(schema.problems(JsonMapper.shared().readTree(wrong))).isNotEmpty();
  }
}
