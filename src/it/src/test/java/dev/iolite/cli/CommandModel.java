package dev.iolite.cli;

import dev.iolite.mock.MockKernel;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** The commands of {@code iolite} with their options and parameters, as picocli has them. */
public final class CommandModel {
  private static final MockKernel KERNEL = MockKernel.plain();

  private CommandModel() {}

  /** Returns the root of the commands. */
  public static CommandSpec root() {
    return commandLine().getCommandSpec();
  }

  /** Parses a command line, which may be none that is understood; the command does not run. */
  public static void parse(String... arguments) {
    try {
      commandLine().parseArgs(arguments);
    } catch (ParameterException _) {
      // The usage says so.
    }
  }

  private static CommandLine commandLine() {
    Input input = new Input(new BufferedReader(Reader.nullReader()), false);
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return Main.commandLine(KERNEL, input, nowhere, Terminals::pipe, nowhere, Terminals::pipe);
  }
}
