package dev.iolite.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Adds to a command those below it that a command line can mean. To read the annotations of all
 * commands takes picocli longer than most of them run.
 */
final class Subcommands {
  private Subcommands() {}

  /**
   * Adds the command that the arguments name. Where none is named, as in a request for help or in a
   * mistake, adds all, for they are listed or suggested.
   *
   * @param arguments those that follow the command's name; none: all commands are added
   */
  static void addNeeded(CommandLine line, List<String> arguments) {
    if (!(line.getCommand() instanceof CommandGroup group)) {
      return;
    }
    Map<String, Class<?>> subcommands = group.subcommands();
    int index = firstWord(line, arguments, subcommands);
    if (index < arguments.size()) {
      String name = arguments.get(index);
      Class<?> type = subcommands.get(name);
      if (type != null && IoliteCommand.class.isAssignableFrom(type)) {
        add(line, name, type, arguments.subList(index + 1, arguments.size()));
        return;
      }
    }
    if (!isVersionAlone(line, arguments)) {
      subcommands.forEach((name, type) -> add(line, name, type, List.of()));
    }
  }

  private static void add(CommandLine line, String name, Class<?> type, List<String> arguments) {
    CommandLine subcommand = new CommandLine(type);
    line.addSubcommand(name, subcommand);
    addNeeded(subcommand, arguments);
  }

  /**
   * The index of the first argument that is neither an option nor its value; the number of
   * arguments if it is not certain.
   */
  private static int firstWord(
      CommandLine line, List<String> arguments, Map<String, Class<?>> subcommands) {
    int index = 0;
    while (index < arguments.size() && arguments.get(index).startsWith("-")) {
      String[] nameAndValue = arguments.get(index).split("=", 2);
      OptionSpec option = line.getCommandSpec().findOption(nameAndValue[0]);
      if (option == null || option.usageHelp() || option.versionHelp()) {
        return arguments.size();
      }
      index++;
      if (nameAndValue.length == 1 && option.arity().max() > 0) {
        // A value that reads as something else is a mistake, and picocli says so.
        if (index == arguments.size()
            || arguments.get(index).startsWith("-")
            || subcommands.containsKey(arguments.get(index))) {
          return arguments.size();
        }
        index++;
      }
    }
    return index;
  }

  private static boolean isVersionAlone(CommandLine line, List<String> arguments) {
    if (arguments.size() != 1) {
      return false;
    }
    OptionSpec option = line.getCommandSpec().findOption(arguments.getFirst());
    return option != null && option.versionHelp();
  }
}
