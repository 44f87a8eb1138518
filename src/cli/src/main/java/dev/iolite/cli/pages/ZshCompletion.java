package dev.iolite.cli.pages;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completion for zsh, with descriptions: a function for each command. */
public final class ZshCompletion {
  private ZshCompletion() {}

  /** Returns the script for a command and those below it. */
  public static String of(CommandSpec root) {
    return Words.all(root)
        .map(ZshCompletion::function)
        .collect(Collectors.joining("\n", "#compdef iolite\n\n", "\n" + name(root) + " \"$@\"\n"));
  }

  private static String name(CommandSpec command) {
    return "_" + command.qualifiedName("_");
  }

  private static String function(CommandSpec command) {
    List<String> arguments = new ArrayList<>();
    Words.options(command).forEach(option -> arguments.add(option(option)));
    if (command.subcommands().isEmpty()) {
      command.positionalParameters().forEach(parameter -> arguments.add(parameter(parameter)));
      return "%s() {\n  _arguments -s%s\n}\n".formatted(name(command), joined(arguments));
    }
    arguments.add("'1: :->command'");
    arguments.add("'*:: :->below'");
    return """
    %s() {
      local context state state_descr line
      typeset -A opt_args
      _arguments -s -C%s
      case $state in
        command)
          local -a commands=(%s
          )
          _describe command commands
          ;;
        below)
          case $words[1] in%s
          esac
          ;;
      esac
    }
    """
        .formatted(
            name(command),
            joined(arguments),
            each(command, "\n        '%s:%s'"),
            each(command, "\n        %1$s) %3$s ;;"));
  }

  private static String each(CommandSpec command, String format) {
    return Words.below(command).stream()
        .map(below ->
            format.formatted(
                below.name(), quoted(Words.summary(Words.description(below))), name(below)))
        .collect(Collectors.joining());
  }

  private static String joined(List<String> arguments) {
    return arguments.stream().map(a -> " \\\n    " + a).collect(Collectors.joining());
  }

  private static String option(OptionSpec option) {
    List<String> names = List.of(option.names());
    String together = String.join(" ", names);
    String description =
        "[" + inBrackets(Words.summary(Words.paragraphs(option.description()))) + "]";
    String value = Words.takesValue(option) ? ":" + value(option) : "";
    if (option.isMultiValue()) {
      return names.stream()
          .map(name -> "'*" + name + description + value + "'")
          .collect(Collectors.joining(" "));
    }
    return names.stream()
        .map(name -> "'(" + together + ")" + name + description + value + "'")
        .collect(Collectors.joining(" "));
  }

  private static String parameter(PositionalParamSpec parameter) {
    String place =
        parameter.index().max() == Integer.MAX_VALUE
            ? "*"
            : Integer.toString(parameter.index().min() + 1);
    String colon = parameter.arity().min() == 0 && !place.equals("*") ? "::" : ":";
    return "'" + place + colon + value(parameter) + "'";
  }

  private static String value(ArgSpec argument) {
    return quoted(argument.paramLabel().replace(":", "\\:")) + ":" + action(argument);
  }

  private static String action(ArgSpec argument) {
    if (Words.isFile(argument)) {
      return "_files";
    }
    if (argument.paramLabel().equals(Words.ADDRESS)) {
      return "{compadd -- /sys/bus/pci/devices/*(N\\:t)}";
    }
    List<String> values = Words.values(argument);
    return values.isEmpty() ? " " : "(" + String.join(" ", values) + ")";
  }

  private static String inBrackets(String text) {
    return quoted(text.replace("[", "\\[").replace("]", "\\]"));
  }

  private static String quoted(String text) {
    return text.replace("'", "'\\''");
  }
}
