package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** A command line gets the commands that it names, or all where it is not certain which. */
class SubcommandsTest {
  private static CommandLine line(String text) {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return Main.commandLine(
        new HostKernel(),
        Input.none(),
        nowhere,
        Terminals::pipe,
        nowhere,
        Terminals::pipe,
        text.isEmpty() ? new String[0] : text.split(" ", -1));
  }

  private static CommandLine tdi(CommandLine line) {
    return Objects.requireNonNull(line.getSubcommands().get("tdi"));
  }

  private static Set<String> commands(CommandLine line) {
    return line.getSubcommands().keySet();
  }

  @ParameterizedTest
  @CsvSource({
    "doctor, doctor",
    "doctor --help, doctor",
    "--kernel mock:tdx doctor, doctor",
    "--kernel=mock:tdx --trace -o json doctor, doctor",
    "kvm hello, kvm"
  })
  void oneThatIsNamedIsAlone(String text, String command) {
    assertThat(commands(line(text))).containsExactly(command);
  }

  @Test
  void soIsOneBelowAGroup() {
    CommandLine line = line("--kernel mock:tdx tdi --verbose assign --calls");
    assertThat(commands(line)).containsExactly("tdi");
    assertThat(commands(tdi(line))).containsExactly("assign");
  }

  @Test
  void aGroupWhoseCommandIsUnknownHasAll() {
    CommandLine line = line("tdi asign");
    assertThat(commands(line)).containsExactly("tdi");
    assertThat(commands(tdi(line)))
        .containsExactlyElementsOf(new TdiCommand().subcommands().keySet());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "-V"})
  void theVersionNeedsNone(String text) {
    assertThat(commands(line(text))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--help",
        "--help doctor",
        "--version doctor",
        "help",
        "help doctor",
        "doctr",
        "--no-such-option doctor",
        "-ojson doctor",
        "--kernel",
        "--kernel doctor",
        "--kernel tdi doctor",
        "--kernel --trace doctor",
        "@file doctor"
      })
  void whereItIsNotCertainAllAreThere(String text) {
    assertThat(commands(line(text))).hasSizeGreaterThan(10).contains("help");
  }

  @Test
  void eachIsNamedAsItsHelpSays() {
    CommandLine line = line("");
    assertThat(line.getSubcommands()).allSatisfy(SubcommandsTest::hasItsName);
    assertThat(tdi(line).getSubcommands())
        .hasSizeGreaterThan(5)
        .allSatisfy(SubcommandsTest::hasItsName);
  }

  private static void hasItsName(String name, CommandLine command) {
    Class<?> type = command.getCommandSpec().userObject().getClass();
    assertThat(type.getAnnotation(Command.class).name()).isEqualTo(name);
  }
}
