package dev.iolite.cli;

import dev.iolite.cli.pages.FishCompletion;
import dev.iolite.cli.pages.ManPage;
import dev.iolite.cli.pages.ZshCompletion;
import dev.iolite.kernel.HostKernel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;

/** Writes what packages install beside the command; scripts/package runs it. */
final class CommandPages {
  private CommandPages() {}

  /**
   * Writes manual pages and completion.
   *
   * @param arguments the directory, as {@code share} is one, and the date of the manual pages
   */
  public static void main(String[] arguments) throws IOException {
    write(Path.of(arguments[0]), arguments[1]);
  }

  static void write(Path share, String date) throws IOException {
    Terminal pipe = new Terminal(false, OptionalInt.empty(), StandardCharsets.UTF_8, Ansi.OFF);
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    Input input = new Input(new BufferedReader(Reader.nullReader()), false);
    CommandLine line =
        Main.commandLine(new HostKernel(), input, nowhere, () -> pipe, nowhere, () -> pipe);
    CommandSpec root = line.getCommandSpec();
    for (CommandSpec command : ManPage.commands(root).toList()) {
      write(share, "man/man1/" + ManPage.name(command) + ".1", ManPage.of(command, date));
    }
    write(share, "bash-completion/completions/iolite", bash(line));
    write(share, "zsh/vendor-completions/_iolite", ZshCompletion.of(root));
    write(share, "fish/vendor_completions.d/iolite.fish", FishCompletion.of(root));
  }

  /** A shell sources it: no interpreter is named. */
  private static String bash(CommandLine line) {
    return AutoComplete.bash("iolite", line).replaceFirst("#!.*\\R", "");
  }

  private static void write(Path share, String name, String text) throws IOException {
    Path file = share.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
