package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Help.Ansi;

/** The line that says what is being done. */
class ProgressTest {
  private static Terminal coloured(int columns) {
    return new Terminal(true, OptionalInt.of(columns), StandardCharsets.UTF_8, Ansi.ON);
  }

  @Test
  void aTextIsCutAndReplacedAndCleared() {
    StringWriter out = new StringWriter();
    Progress progress = new Progress(new PrintWriter(out), coloured(40));
    progress.clear();
    assertThat(out).hasToString("");
    progress.show("x".repeat(50) + "\u001b");
    progress.show("\u001b");
    progress.clear();
    progress.clear();
    String cleared = "\r\u001b[K";
    assertThat(out).hasToString(cleared + "x".repeat(39) + cleared + "\\x1b" + cleared);
  }

  @Test
  void anAssignmentShowsItsStagesOnTheTerminalOfErrors() {
    for (String format : new String[] {"table", "json"}) {
      Cli cli = Cli.runAt(coloured(60), "--kernel", "mock:tdx", "tdi", "assign", "-o", format);
      assertThat(cli.code()).isZero();
      assertThat(cli.err())
          .contains("\r\u001b[K3  bind the interface ... 1 step, 2 calls")
          .endsWith("\r\u001b[K")
          .doesNotContain("\n");
      assertThat(cli.out()).doesNotContain("\r");
    }
    assertThat(Cli.runAt(coloured(60), "--kernel", "mock:tdx", "passthrough", "-o", "json").err())
        .contains("0000:00:02.0: open KVM")
        .endsWith("\r\u001b[K");
  }

  private static String errorsOnATerminalAndOutputInAPipe(String... words) {
    StringWriter err = new StringWriter();
    int code =
        Main.commandLine(
                new HostKernel(),
                Input.none(),
                new PrintWriter(Writer.nullWriter()),
                Terminals::pipe,
                new PrintWriter(err),
                () -> coloured(60))
            .execute(words);
    assertThat(code).isZero();
    return err.toString();
  }

  @Test
  void thereIsNoneInAPipeNorWithoutColoursNorInATrace() {
    String[] assign = {"--kernel", "mock:tdx", "tdi", "assign"};
    assertThat(Cli.run(assign).err()).isEmpty();
    assertThat(errorsOnATerminalAndOutputInAPipe(assign)).isEmpty();
    assertThat(Cli.runAt(Terminals.of(80, StandardCharsets.UTF_8), assign).err()).isEmpty();
    assertThat(Cli.runAt(coloured(60), "--trace", "--kernel", "mock:tdx", "tdi", "assign").err())
        .doesNotContain("\r");
  }
}
