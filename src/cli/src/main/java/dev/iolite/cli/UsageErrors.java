package dev.iolite.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reports which part of a command line could not be understood, and where to find help. */
final class UsageErrors implements IParameterExceptionHandler {
  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    Output errors = Main.errors(command);
    errors.error("iolite: " + e.getMessage());
    StringWriter suggestions = new StringWriter();
    UnmatchedArgumentException.printSuggestions(e, new PrintWriter(suggestions, true));
    suggestions.toString().lines().forEach(errors::line);
    errors.line("See " + command.getCommandSpec().qualifiedName() + " --help");
    return ExitCode.USAGE;
  }
}
