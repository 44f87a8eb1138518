package dev.iolite.cli.pages;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Completion for fish, with descriptions. */
public final class FishCompletion {
  /**
   * Which command is meant is told from the words before the cursor that are neither options nor
   * their values. A parameter may follow an option, but not an option's name.
   */
  private static final String FUNCTIONS =
      """
      # The words of the command so far, without options and their values.
      function __iolite_words
          set -l skip 0
          for word in (commandline -opc)[2..-1]
              if test $skip = 1
                  set skip 0
              else if contains -- $word %s
                  set skip 1
              else if not string match -q -- '-*' $word
                  echo $word
              end
          end
      end

      # Whether they are these and no others.
      function __iolite_at
          test "$(__iolite_words | string join ' ')" = "$argv"
      end

      # Whether they begin with these.
      function __iolite_in
          string match -q -- "$argv *" "$(__iolite_words | string join ' ') "
      end

      complete -c iolite -f
      """;

  private FishCompletion() {}

  /** Returns the script for a command and those below it. */
  public static String of(CommandSpec root) {
    String valued =
        Words.all(root)
            .flatMap(command -> Words.options(command).stream())
            .filter(Words::takesValue)
            .flatMap(option -> List.of(option.names()).stream())
            .distinct()
            .collect(Collectors.joining(" "));
    List<String> lines = new ArrayList<>();
    lines.add(FUNCTIONS.formatted(valued).stripTrailing());
    add(root, "", lines);
    return String.join("\n", lines) + "\n";
  }

  private static void add(CommandSpec command, String path, List<String> lines) {
    for (CommandSpec below : Words.below(command)) {
      lines.add(
          complete("at", path) + " -a " + below.name() + description(Words.description(below)));
      add(below, (path + " " + below.name()).strip(), lines);
    }
    if (!command.subcommands().isEmpty()) {
      return;
    }
    for (OptionSpec option : Words.options(command)) {
      lines.add(
          complete("in", path)
              + names(option)
              + value(option)
              + description(Words.paragraphs(option.description())));
    }
    command.positionalParameters().stream()
        .map(FishCompletion::value)
        .distinct()
        .filter(value -> !value.equals(" -x"))
        .forEach(value ->
            lines.add(complete("in", path) + value.replaceFirst(" -rF", " -F").replace(" -x", "")));
  }

  private static String complete(String test, String path) {
    return "complete -c iolite -n '__iolite_%s%s'"
        .formatted(test, path.isEmpty() ? "" : " " + path);
  }

  private static String names(OptionSpec option) {
    return List.of(option.names()).stream()
        .map(name -> name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.charAt(1))
        .collect(Collectors.joining());
  }

  private static String value(ArgSpec argument) {
    if (!Words.takesValue(argument)) {
      return "";
    }
    if (Words.isFile(argument)) {
      return " -rF";
    }
    if (argument.paramLabel().equals(Words.ADDRESS)) {
      return " -x -a '(path basename /sys/bus/pci/devices/*)'";
    }
    List<String> values = Words.values(argument);
    return values.isEmpty() ? " -x" : " -x -a '" + String.join(" ", values) + "'";
  }

  private static String description(List<String> text) {
    return " -d '" + Words.summary(text).replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
