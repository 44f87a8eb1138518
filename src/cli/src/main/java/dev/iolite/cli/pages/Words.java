package dev.iolite.cli.pages;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The words of a command, as picocli keeps them. */
final class Words {
  /** A parameter that is the address of a PCI function. */
  static final String ADDRESS = "BDF";

  private Words() {}

  /** The commands below it. */
  static List<CommandSpec> below(CommandSpec command) {
    return command.subcommands().values().stream().map(CommandLine::getCommandSpec).toList();
  }

  /** The command and all below it, however deep. */
  static Stream<CommandSpec> all(CommandSpec command) {
    return Stream.concat(Stream.of(command), below(command).stream().flatMap(Words::all));
  }

  /** Its options that the usage shows: its own, and then those of every command. */
  static List<OptionSpec> options(CommandSpec command) {
    return Stream.of(false, true)
        .flatMap(isInherited ->
            command.options().stream().filter(o -> o.inherited() == isInherited && !o.hidden()))
        .toList();
  }

  static boolean takesValue(ArgSpec argument) {
    return argument.arity().max() > 0;
  }

  static boolean isFile(ArgSpec argument) {
    return List.of(argument.auxiliaryTypes()).contains(Path.class) || argument.type() == Path.class;
  }

  /** The values that it can have, if they are known. */
  static List<String> values(ArgSpec argument) {
    return argument.completionCandidates() == null
        ? List.of()
        : StreamSupport.stream(argument.completionCandidates().spliterator(), false)
            .map(value -> value.toLowerCase(Locale.ROOT))
            .toList();
  }

  /** The paragraphs of a description, without markup. */
  static List<String> paragraphs(String... description) {
    return Arrays.stream(description)
        .flatMap(text -> Ansi.OFF.string(text.formatted()).lines())
        .toList();
  }

  /** What a command does, in paragraphs. */
  static List<String> description(CommandSpec command) {
    String[] header = command.usageMessage().header(); // that of picocli's own command, help
    return paragraphs(header.length > 0 ? header : command.usageMessage().description());
  }

  /** As much of a text as fits into a line of a menu: no second clause, no open parenthesis. */
  static String summary(List<String> paragraphs) {
    String clause = paragraphs.isEmpty() ? "" : paragraphs.getFirst().split("[.:;]( |$)", 2)[0];
    return clause.replaceFirst(" \\([^)]*$", "");
  }
}
