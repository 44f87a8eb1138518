package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.tdi.layout.ReportBytes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * What commands print fits the terminal and its characters: on narrow ones there are the same words
 * as on a wide one. No line is exempt: a word that is longer than a line is broken.
 */
class FitTest {
  private static final int WIDE = 1000;
  private static final List<Integer> WIDTHS = List.of(40, 60, 80, 100);

  private static final String REPORT = "REPORT";
  private static final String LAYOUT = "LAYOUT";

  /** Addresses of memory, times and nonces differ from run to run, and pictures between widths. */
  private static final String CHANGING =
      "0x[0-9a-f]{12,}|\\d+\\.\\d\\d ms|\\d+ us|\\b[0-9a-f]{64}\\b|[\u2588\u2591\u2592]{3,}";

  @TempDir private static Path directory;

  @BeforeAll
  static void writeFiles() throws IOException {
    Files.write(
        directory.resolve(REPORT),
        new ReportBytes(3)
            .range(0, 0x1000, 2, 0)
            .range(0, 0x1002, 1, ReportBytes.NON_TEE)
            .range(0, 0x1003, 13, 0)
            .range(4, 0x2000, 1, ReportBytes.MSIX_TABLE)
            .deviceSpecific(new byte[30])
            .toArray());
    Files.writeString(
        directory.resolve(LAYOUT),
        "bars: [{bar: 2, size: 1T, private: [{offset: 4K, size: 4K}, {offset: 12K, size: 16K}]}]");
  }

  static Stream<String> commands() {
    return Stream.of(
        "tdi states",
        "--kernel mock:tdx tdi assign",
        "--kernel mock:tdx tdi assign --calls",
        "--kernel mock:sev tdi assign --profile cca-v7",
        "--kernel mock:plain tdi assign",
        "--kernel mock:plain passthrough",
        "--kernel mock:tdx doctor",
        "--kernel mock:plain doctor",
        "--kernel mock:tdx pci list",
        "--kernel mock:tdx pci show 00:07.0",
        "--kernel mock:tdx pci bind 00:07.0",
        "--kernel mock:tdx vfio info 00:07.0",
        "--kernel mock:tdx iommu info 00:07.0",
        "--kernel mock:tdx kvm info",
        "--kernel mock:tdx kvm hello",
        "--kernel mock:tdx tsm list",
        "--kernel mock:tdx tsm connect 00:07.0",
        "--kernel mock:tdx --trace pci list",
        "tdi report REPORT",
        "tdi plan --report REPORT --dry-run",
        "tdi plan --layout LAYOUT --profile mainline-7.3",
        "tdi recover --run-dir no/such/directory/that/has/a/name",
        "uapi iommu_ioas",
        "uapi iommu_ioas_map_file",
        "uapi VFIO_DEVICE_API",
        // What goes wrong.
        "--kernel mock:plain tdi assign 00:1f.0",
        "--kernel mock:plain tsm connect 00:03.0",
        "pci show ffff:ff:1f.7",
        "tdi plan --layout no-such-file",
        "tdi show --run-dir no/such/directory",
        "--kernel mock:other pci list",
        "--kernel mock@no-such-socket pci list",
        "pci lisst",
        "tdi rebind",
        "pci",
        "");
  }

  /** Of all commands that there are. */
  static Stream<String> helps() {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    CommandLine line =
        Main.commandLine(
            new HostKernel(), Input.none(), nowhere, Terminals::pipe, nowhere, Terminals::pipe);
    return names("", line).map(name -> (name + " --help").strip());
  }

  private static Stream<String> names(String name, CommandLine line) {
    return Stream.concat(
        Stream.of(name),
        line.getSubcommands().entrySet().stream()
            .filter(entry -> !entry.getKey().equals("help"))
            .flatMap(entry -> names((name + " " + entry.getKey()).strip(), entry.getValue())));
  }

  private static String printed(String command, Terminal terminal) {
    String[] words =
        Stream.of(command.split(" ", -1))
            .filter(word -> !word.isEmpty())
            .map(word ->
                word.equals(REPORT) || word.equals(LAYOUT)
                    ? directory.resolve(word).toString()
                    : word)
            .toArray(String[]::new);
    Cli cli = Cli.runAt(terminal, words);
    return cli.out() + cli.err();
  }

  private static Set<String> words(String text) {
    return Stream.of(text.split("\\s+")).collect(Collectors.toSet());
  }

  @ParameterizedTest
  @MethodSource({"commands", "helps"})
  void everyLineFitsAndAllWordsAreThere(String command) {
    Set<String> words = words(printed(command, at(WIDE)).replaceAll(CHANGING, " "));
    assertThat(words).hasSizeGreaterThan(1);
    for (int columns : WIDTHS) {
      String narrow = printed(command, at(columns));
      assertThat(narrow.lines())
          .as("lines at %d columns", columns)
          .allMatch(line -> line.length() <= columns);
      String squeezed = narrow.replaceAll("\\s+", "");
      assertThat(words.stream().filter(word -> !squeezed.contains(word)))
          .as("words that are missing at %d columns", columns)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource({"commands", "helps"})
  void nothingButAsciiIsPrintedWhereThereIsNothingElse(String command) {
    assertThat(printed(command, Terminals.of(60, StandardCharsets.US_ASCII))).isASCII();
  }

  private static Terminal at(int columns) {
    return Terminals.of(columns, StandardCharsets.UTF_8);
  }
}
