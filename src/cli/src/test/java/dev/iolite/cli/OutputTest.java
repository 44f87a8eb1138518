package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Style;
import tools.jackson.databind.json.JsonMapper;

/** What is printed is what was said, with colours only where they are asked for. */
class OutputTest {
  private static final String MARKUP = "@|red model|@ @|bold, x%s\\n";

  private static String printed(Ansi ansi, Consumer<Output> print) {
    StringWriter text = new StringWriter();
    Terminal terminal = Terminals.pipe(ansi);
    print.accept(new Output(new PrintWriter(text), terminal, CommonOptions.Format.TABLE));
    return text.toString();
  }

  private static String printedAt(int columns, Consumer<Output> print) {
    StringWriter text = new StringWriter();
    Terminal terminal = Terminals.of(columns, StandardCharsets.UTF_8);
    print.accept(new Output(new PrintWriter(text), terminal, CommonOptions.Format.TABLE));
    return text.toString();
  }

  @ParameterizedTest
  @EnumSource(
      value = Ansi.class,
      names = {"ON", "OFF"})
  void whatADeviceSaysIsNotReadAsMarkup(Ansi ansi) {
    assertThat(printed(ansi, output -> output.line(MARKUP))).isEqualTo(MARKUP + "\n");
    assertThat(printed(ansi, output -> output.line(output.styled("x", Style.bold), MARKUP)))
        .endsWith(MARKUP + "\n");
    assertThat(printed(ansi, output -> output.properties("name", MARKUP))).contains(MARKUP);
    assertThat(printed(ansi, output -> output.table(List.of("H"), List.of(List.of(MARKUP)))))
        .contains(MARKUP);
    assertThat(printed(ansi, output -> output.wrapped(2, MARKUP))).isEqualTo("  " + MARKUP + "\n");
  }

  /** ESC, BEL, DEL, C1's CSI, an override of the direction, a mark without width, line ends. */
  private static final String HOSTILE =
      "a\u001b]0;x\u0007b\u001b[8mc\u007fd\u009b2Je\u202ef\u200bg\u2028h\ri\tj";

  private static final String HARMLESS =
      "a\\x1b]0;x\\x07b\\x1b[8mc\\x7fd\\x9b2Je\\u202ef\\u200bg\\u2028h\\x0di\\x09j";

  /** The same way out for everything that is printed. */
  @ParameterizedTest
  @EnumSource(
      value = Ansi.class,
      names = {"ON", "OFF"})
  void nothingThatATerminalObeysIsPrinted(Ansi ansi) {
    List<Consumer<Output>> ways =
        List.of(
            output -> output.line(HOSTILE),
            output -> output.line(output.styled(HOSTILE, Style.bold), HOSTILE),
            output -> output.notice(HOSTILE),
            output -> output.error(HOSTILE),
            output -> output.verbatim(HOSTILE),
            output -> output.laidOut(HOSTILE),
            output -> output.prompt(HOSTILE),
            output -> output.heading(2, HOSTILE, output.styled(HOSTILE, Style.bold)),
            output -> output.wrapped(2, HOSTILE),
            output -> output.notes(List.of(HOSTILE)),
            output -> output.properties("name", HOSTILE, HOSTILE, "value"),
            output -> output.table(List.of(HOSTILE), List.of(List.of(HOSTILE + "\n"))));
    for (Consumer<Output> way : ways) {
      String printed = printed(ansi, way);
      assertThat(printed.replaceAll("\\s", "")).contains(HARMLESS);
      assertThat(printed.replaceAll("\u001b\\[(0|1|2[12]?|3[0-79])m", "").replace("\n", ""))
          .doesNotContainPattern("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");
    }
  }

  /** Else who names a file, a key or a device could write lines that seem to be iolite's. */
  @Test
  void aMessageIsOneLineWhateverItQuotes() {
    String quoting = "no file a\niolite: all is well";
    String quoted = "no file a\\x0aiolite: all is well";
    List<Consumer<Output>> ways =
        List.of(
            output -> output.error(quoting),
            output -> output.line(quoting),
            output -> output.line(output.styled("", Style.bold), quoting),
            output -> output.notice(quoting),
            output -> output.heading(2, quoting),
            output -> output.wrapped(0, quoting));
    for (Consumer<Output> way : ways) {
      assertThat(printed(Ansi.OFF, way)).isEqualTo(quoted + "\n");
    }
  }

  @Test
  void aCellOfATableAndAValueStayInTheirLine() {
    assertThat(printed(Ansi.OFF, output -> output.properties("name", "a\nforged  b")))
        .isEqualTo("name  a\\x0aforged  b\n");
    assertThat(
            printed(Ansi.OFF, output -> output.table(List.of("H"), List.of(List.of("a\nforged")))))
        .isEqualTo("H\na\\x0aforged\n");
  }

  @Test
  void coloursOfAnotherOutputStayAndNothingElseDoes() {
    String text = "\u001b[31mred\u001b[39m\u001b[0m\n\u001b[8mhidden\u001b[5m\u001b[41m\n";
    assertThat(printed(Ansi.ON, output -> output.laidOut(text)))
        .isEqualTo("\u001b[31mred\u001b[39m\u001b[0m\n\\x1b[8mhidden\\x1b[5m\\x1b[41m\n");
    assertThat(printed(Ansi.OFF, output -> output.laidOut(text))).doesNotContain("\u001b");
  }

  @Test
  void jsonHasThemEscaped() {
    StringWriter text = new StringWriter();
    new Output(new PrintWriter(text), Terminals.pipe(), CommonOptions.Format.JSON)
        .json(Map.of("name", HOSTILE + "\n"));
    assertThat(text.toString().replace("\n", ""))
        .doesNotContainPattern("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");
    assertThat(JsonMapper.shared().readTree(text.toString()).get("name").asString())
        .isEqualTo(HOSTILE + "\n");
  }

  @Test
  void coloursAreThereWhenTheyAreOn() {
    assertThat(printed(Ansi.ON, output -> output.line(output.styled("x", Style.fg_red), "")))
        .contains("\u001b[31mx");
    assertThat(printed(Ansi.OFF, output -> output.line(output.styled("x", Style.fg_red), "")))
        .isEqualTo("x\n");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 89, 90, 91, 500})
  void aLongWordIsWrappedAndNothingIsLost(int length) {
    String word = "x".repeat(length - 1) + "y";
    List<String> lines = printed(Ansi.OFF, output -> output.wrapped(10, word)).lines().toList();
    assertThat(lines).allMatch(line -> line.length() <= 100);
    assertThat(String.join("", lines.stream().map(String::strip).toList())).isEqualTo(word);
    assertThat(lines).hasSize(length <= 90 ? 1 : 2 + (length - 91) / 86);
  }

  @Test
  void aLongTextIsWrappedBetweenWords() {
    String text = "IOMMU_IOAS_MAP(flags=0x7, length=0x1000) ".repeat(9).strip();
    List<String> lines = printed(Ansi.OFF, output -> output.wrapped(10, text)).lines().toList();
    assertThat(lines).hasSizeGreaterThan(3).allMatch(line -> line.length() <= 100);
    assertThat(lines.getFirst()).startsWith(" ".repeat(10) + "IOMMU");
    assertThat(lines.subList(1, lines.size())).allMatch(line -> line.matches(" {14}[^ ].*"));
    assertThat(String.join(" ", lines.stream().map(String::strip).toList())).isEqualTo(text);
  }

  @Test
  void aLineOfAPipeStaysOne() {
    String text = "word ".repeat(60).strip();
    assertThat(printed(Ansi.OFF, output -> output.line(text))).isEqualTo(text + "\n");
    assertThat(printed(Ansi.OFF, output -> output.error(text))).isEqualTo(text + "\n");
    assertThat(printed(Ansi.OFF, output -> output.heading(17, text))).isEqualTo(text + "\n");
    assertThat(printed(Ansi.OFF, output -> output.properties("name", text)))
        .isEqualTo("name  " + text + "\n");
  }

  @Test
  void aTableThatFitsIsInColumns() {
    Consumer<Output> print =
        output ->
            output.table(
                List.of("REGION", "SIZE", "MADE OF"),
                List.of(List.of("BAR0", "64 KiB", "dma-buf 11"), List.of("BAR2", "8 KiB", "")));
    String columns =
        """
        REGION  SIZE    MADE OF
        BAR0    64 KiB  dma-buf 11
        BAR2    8 KiB
        """;
    assertThat(printed(Ansi.OFF, print)).isEqualTo(columns);
    assertThat(printedAt(26, print)).isEqualTo(columns);
    assertThat(printedAt(25, print))
        .isEqualTo(
            """
            REGION BAR0  SIZE 64 KiB
                MADE OF dma-buf 11
            REGION BAR2  SIZE 8 KiB
                MADE OF -
            """);
    assertThat(printedAt(23, print))
        .isEqualTo(
            """
            REGION BAR0
                SIZE 64 KiB
                MADE OF dma-buf 11
            REGION BAR2  SIZE 8 KiB
                MADE OF -
            """);
  }

  @Test
  void aCellThatIsWiderThanTheTerminalIsWrappedAndNothingIsLost() {
    assertThat(
            printedAt(
                40,
                output ->
                    output.table(
                        List.of("CHECK", "FOUND"),
                        List.of(
                            List.of("memlock", "unlimited, but not for this process (CAP_X)")))))
        .isEqualTo(
            """
            CHECK memlock
                FOUND unlimited, but not for this
                    process (CAP_X)
            """);
  }

  @Test
  void aStepsOutcomeIsIndentedMoreThanItsCalls() {
    String step = "ok       1.00 ms  place the BARs in the guest: BAR0 at 0x2000000";
    Consumer<Output> print =
        output -> {
          output.heading(17, step);
          output.wrapped(17, "VFIO_DEVICE_GET_INFO, pread x14");
        };
    assertThat(printedAt(60, print))
        .isEqualTo(
            """
            ok       1.00 ms  place the BARs in the guest: BAR0 at
                                 0x2000000
                             VFIO_DEVICE_GET_INFO, pread x14
            """);
    assertThat(printedAt(40, print))
        .isEqualTo(
            """
            ok       1.00 ms  place the BARs in the
                    guest: BAR0 at 0x2000000
                VFIO_DEVICE_GET_INFO, pread x14
            """);
  }

  @Test
  void aValueStandsBesideItsNameOrBelow() {
    Consumer<Output> print =
        output -> output.properties("nested page tables", "yes", "ATS", "possible if it is so");
    assertThat(printedAt(60, print))
        .isEqualTo("nested page tables  yes\nATS                 possible if it is so\n");
    assertThat(printedAt(40, print))
        .isEqualTo("nested page tables  yes\nATS                 possible if it is so\n");
    assertThat(printedAt(39, print))
        .isEqualTo("nested page tables  yes\nATS\n    possible if it is so\n");
  }

  @Test
  void coloursTakeNoRoom() {
    StringWriter text = new StringWriter();
    Terminal terminal = new Terminal(true, OptionalInt.of(40), StandardCharsets.UTF_8, Ansi.ON);
    Output output = new Output(new PrintWriter(text), terminal, CommonOptions.Format.TABLE);
    output.line(output.styled("x".repeat(20), Style.bold), " " + "y".repeat(19));
    assertThat(text.toString().lines()).hasSize(1);
  }

  @Test
  void jsonIsValidInEveryCharset() {
    for (Charset charset :
        List.of(StandardCharsets.UTF_8, StandardCharsets.ISO_8859_1, StandardCharsets.US_ASCII)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      Output output =
          new Output(
              new PrintWriter(bytes, true, charset),
              Terminals.of(40, charset),
              CommonOptions.Format.JSON);
      String name = "Grüße \u2588 \ud83d\ude00 ".repeat(9);
      output.json(Map.of("name", name));
      String printed = bytes.toString(charset);
      assertThat(JsonMapper.shared().readTree(printed).get("name").asString()).isEqualTo(name);
      assertThat(printed.contains("\\u")).isEqualTo(!charset.equals(StandardCharsets.UTF_8));
    }
  }

  @Test
  void whatCanNotBeEncodedIsSeenToBeThere() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintWriter writer = new PrintWriter(bytes, true, StandardCharsets.US_ASCII);
    Terminal terminal = Terminals.of(40, StandardCharsets.US_ASCII);
    new Output(writer, terminal, CommonOptions.Format.TABLE).line("a\u00fcb\ud83d\ude00c\ud800d");
    assertThat(bytes.toString(StandardCharsets.US_ASCII)).isEqualTo("a?b?c?d\n");
  }
}
