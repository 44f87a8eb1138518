package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Style;

/** What is printed is what was said, with colours only where they are asked for. */
class OutputTest {
  private static final String MARKUP = "@|red model|@ @|bold, x%s\\n";
  private static final PrintWriter NOWHERE = new PrintWriter(new StringWriter());

  private static String printed(Ansi ansi, Consumer<Output> print) {
    StringWriter text = new StringWriter();
    CommandLine command =
        Main.commandLine(
            new HostKernel(), Input.none(), new PrintWriter(text), ansi, NOWHERE, Ansi.OFF);
    print.accept(new Output(command, CommonOptions.Format.TABLE));
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
}
