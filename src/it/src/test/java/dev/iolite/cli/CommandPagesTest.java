package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.pages.ManPage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The manual pages and the completion that packages install. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class CommandPagesTest {
  @TempDir private Path share;

  @BeforeEach
  void write() throws IOException {
    CommandPages.write(share, "2026-01-31");
  }

  private static List<CommandSpec> commands() {
    return ManPage.commands(CommandModel.root()).toList();
  }

  private String page(String name) throws IOException {
    return Files.readString(share.resolve("man/man1/" + name + ".1"));
  }

  @Test
  void eachCommandHasAPageThatNamesItsOptionsAndParameters() throws IOException {
    assertThat(commands()).extracting(CommandSpec::name).contains("iolite", "assign", "bind");
    for (CommandSpec command : commands()) {
      String text = page(ManPage.name(command)).replace("\\-", "-");
      for (OptionSpec option : command.options()) {
        assertThat(option.names()).allSatisfy(name -> assertThat(text).contains("\\fB" + name));
      }
      command
          .positionalParameters()
          .forEach(parameter -> assertThat(text).contains("\\fI" + parameter.paramLabel()));
    }
  }

  @Test
  void aPageSaysWhatTheHelpSays() throws IOException {
    assertThat(page("iolite-pci-show"))
        .startsWith(".TH IOLITE\\-PCI\\-SHOW 1 2026-01-31 \"iolite ")
        .contains(
            """
            .SH "NAME"
            iolite\\-pci\\-show \\- Shows everything that sysfs says about a function
            """,
            "\\fBiolite pci show\\fR [\\fIOPTION\\fR...] \\fIBDF\\fR\n",
            """
            .SH "OPTIONS OF EVERY COMMAND"
            .TP
            """,
            """
            \\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFORMAT\\fR
            """,
            ".TP\n\\fB130, 143\\fR\nCtrl\\-C or SIGTERM; what was done so far has been undone\n",
            ".SH \"SEE ALSO\"\n.BR iolite\\-pci (1)\n");
    assertThat(page("iolite-tdi"))
        .contains("\\- Device interfaces (TDIs) for confidential guests\n.SH")
        .contains("\\fB\\-h\\fR")
        .contains(".BR iolite\\-tdi\\-plan (1),\n");
    assertThat(page("iolite-tdi-recover")).contains("$XDG_RUNTIME_DIR").doesNotContain("$$");
  }

  /** man(1) would obey a line of text that begins with a dot or an apostrophe. */
  @Test
  void noTextIsTakenForARequest() throws IOException {
    Pattern request = Pattern.compile("\\.(TH|SH|PP|TP|BR)( .*)?");
    for (CommandSpec command : commands()) {
      assertThat(page(ManPage.name(command)).lines().filter(l -> l.matches("[.'].*")))
          .allMatch(line -> request.matcher(line).matches());
    }
  }

  @Test
  void whatTextBeginsWithIsNoRequest() {
    CommandSpec odd = CommandSpec.create().name("odd");
    odd.usageMessage().description(".so /dev/zero", "'quoted' and \\fBback-slashed");

    assertThat(ManPage.of(odd, "2026-01-31"))
        .contains("\n\\&.so /dev/zero\n.PP\n\\&'quoted' and \\efBback\\-slashed\n");
  }

  @Test
  void zshAndFishCompleteEachCommandAndOption() throws IOException {
    String zsh = Files.readString(share.resolve("zsh/vendor-completions/_iolite"));
    String fish = Files.readString(share.resolve("fish/vendor_completions.d/iolite.fish"));
    for (CommandSpec command : commands()) {
      assertThat(zsh).contains("\n_" + command.qualifiedName("_") + "() {\n");
      String path = command.qualifiedName().replaceFirst("iolite ?", "");
      if (!command.subcommands().isEmpty()) {
        continue;
      }
      for (OptionSpec option : command.options()) {
        assertThat(zsh).contains(option.longestName() + "[");
        assertThat(fish)
            .contains("'__iolite_in " + path + "'")
            .contains(" -l " + option.longestName().substring(2) + " ");
      }
    }
    assertThat(zsh)
        .startsWith("#compdef iolite\n")
        .endsWith("\n_iolite \"$@\"\n")
        .contains(
            "[table (the default) or json]:FORMAT:(table json)'",
            "[table (the default), json or jsonl]:FORMAT:(table json jsonl)'",
            "[table (the default), json, jsonl, prometheus or nfd]"
                + ":FORMAT:(table json jsonl prometheus nfd)'",
            "--junit[write how the program ended, and how often each call ended how, as JUnit"
                + " does]:FILE:_files'",
            "1:BDF:{compadd -- /sys/bus/pci/devices/*(N\\:t)}'",
            "'uapi:Shows structs and constants of the kernel'\\''s UAPI");
    assertThat(fish)
        .containsPattern("contains -- \\$word .*--kernel ")
        .doesNotContainPattern("contains -- \\$word .*--trace")
        .contains(
            "complete -c iolite -n '__iolite_at tdi' -a assign -d 'Assigns a device interface",
            "'__iolite_in tdi plan' -l layout -rF -d ",
            "'__iolite_in pci show' -a '(path basename /sys/bus/pci/devices/*)'\n",
            "'__iolite_in pci list' -s o -l output -x -a 'table json' -d 'table (the default) or",
            "the kernel\\'s UAPI");
  }

  @Test
  void bashCompletes() throws IOException, InterruptedException {
    Path script = share.resolve("bash-completion/completions/iolite");
    assertThat(Files.readString(script)).doesNotStartWith("#!");
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                ". \"$0\"; COMP_WORDS=(iolite tdi ass); COMP_CWORD=2; _complete_iolite;"
                    + " echo \"${COMPREPLY[@]}\"",
                script.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD) // compopt wants an interactive shell
            .start();
    assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("assign\n");
    assertThat(bash.waitFor()).isZero();
  }
}
