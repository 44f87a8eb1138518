package dev.iolite.cli.pages;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual page of a command, in the macros of man(7). */
public final class ManPage {
  private final CommandSpec command;
  private final StringBuilder page = new StringBuilder();

  private ManPage(CommandSpec command) {
    this.command = command;
  }

  /** The commands that have a page: all but {@code help}, which the page of its parent covers. */
  public static Stream<CommandSpec> commands(CommandSpec root) {
    return Words.all(root).filter(command -> !command.helpCommand());
  }

  /** The name of a command's page, without its section. */
  public static String name(CommandSpec command) {
    return command.qualifiedName("-");
  }

  /**
   * Returns the page.
   *
   * @param date the date at its foot
   */
  public static String of(CommandSpec command, String date) {
    return new ManPage(command).write(date);
  }

  private String write(String date) {
    String version = String.join("", command.version());
    page.append(
        ".TH %s 1 %s \"%s\" iolite\n"
            .formatted(escaped(name(command).toUpperCase(Locale.ROOT)), date, escaped(version)));
    section("NAME");
    List<String> description = Words.description(command);
    line(name(command) + " - " + Words.summary(description));
    section("SYNOPSIS");
    page.append(synopsis()).append('\n');
    section("DESCRIPTION");
    String separator = "";
    for (String paragraph : description) {
      page.append(separator);
      line(paragraph);
      separator = ".PP\n";
    }
    List<PositionalParamSpec> parameters =
        command.positionalParameters().stream().filter(p -> !p.hidden()).toList();
    list("PARAMETERS", parameters.stream().map(p -> Map.entry(value(p), text(p))));
    list("OPTIONS", options(option -> !option.inherited()));
    list("OPTIONS OF EVERY COMMAND", options(OptionSpec::inherited));
    list(
        "COMMANDS",
        commands().map(c -> Map.entry(bold(c.name()), Words.description(c).getFirst())));
    list(
        "EXIT STATUS",
        command.usageMessage().exitCodeList().entrySet().stream()
            .map(code -> Map.entry(bold(code.getKey()), code.getValue())));
    seeAlso();
    return page.toString();
  }

  private Stream<CommandSpec> commands() {
    return Words.below(command).stream().filter(c -> !c.helpCommand());
  }

  private String synopsis() {
    String options = "[" + italic("OPTION") + "...]";
    String rest =
        command.subcommands().isEmpty()
            ? command.positionalParameters().stream()
                .map(p -> p.arity().min() == 0 ? "[" + value(p) + "]" : value(p))
                .collect(Collectors.joining(" "))
            : italic("COMMAND");
    return bold(command.qualifiedName()) + " " + options + (rest.isEmpty() ? "" : " " + rest);
  }

  private Stream<Map.Entry<String, String>> options(Predicate<OptionSpec> which) {
    return Words.options(command).stream()
        .filter(which)
        .map(option ->
            Map.entry(
                Stream.of(option.names()).map(ManPage::bold).collect(Collectors.joining(", "))
                    + (Words.takesValue(option) ? " " + value(option) : ""),
                text(option)));
  }

  private static String value(ArgSpec argument) {
    return italic(argument.paramLabel()) + (argument.arity().max() > 1 ? "..." : "");
  }

  private static String text(ArgSpec argument) {
    return String.join(" ", Words.paragraphs(argument.description()));
  }

  private void seeAlso() {
    Stream<CommandSpec> parent = Stream.ofNullable(command.parent());
    List<String> pages = Stream.concat(parent, commands()).map(ManPage::name).toList();
    if (!pages.isEmpty()) {
      section("SEE ALSO");
      page.append(
          pages.stream()
              .map(name -> ".BR " + escaped(name) + " (1)")
              .collect(Collectors.joining(",\n", "", "\n")));
    }
  }

  private void list(String title, Stream<Map.Entry<String, String>> entries) {
    String section =
        entries
            .map(e -> ".TP\n" + e.getKey() + "\n" + escaped(e.getValue()) + "\n")
            .collect(Collectors.joining());
    if (!section.isEmpty()) {
      section(title);
      page.append(section);
    }
  }

  private void section(String title) {
    page.append(".SH \"").append(title).append("\"\n");
  }

  private void line(String text) {
    page.append(escaped(text)).append('\n');
  }

  private static String bold(String text) {
    return "\\fB" + escaped(text) + "\\fR";
  }

  private static String italic(String text) {
    return "\\fI" + escaped(text) + "\\fR";
  }

  /** Text in which nothing is a request or a hyphen that could be copied as another character. */
  private static String escaped(String text) {
    String safe = text.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
    return safe.startsWith(".") || safe.startsWith("'") ? "\\&" + safe : safe;
  }
}
