package dev.iolite.cli;

import dev.iolite.mock.MockKernel;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import picocli.CommandLine.Model.CommandSpec;

/** The commands of {@code iolite} with their options and parameters, as picocli has them. */
public final class CommandModel {
  private CommandModel() {}

  /** Returns the root of the commands. */
  public static CommandSpec root() {
    Input input = new Input(new BufferedReader(Reader.nullReader()), false);
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return Main.commandLine(
            MockKernel.plain(), input, nowhere, Terminals::pipe, nowhere, Terminals::pipe)
        .getCommandSpec();
  }
}
