package dev.iolite.build;

import dev.iolite.cli.CommandModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Tells whether a line of documentation is a command of ours, and whether that command exists. */
final class DocumentedCommands {
  private static final Pattern CONTINUED = Pattern.compile("\\\\\n\\s*");
  private static final Pattern COMMENT = Pattern.compile("(^|\\s)#.*");
  private static final Pattern USAGE =
      Pattern.compile("(?i)^#? *(?:usage:)? *scripts/[a-z-]+(.*)$");

  /** Options of the JUnit launcher that runs the lab's tests. */
  private static final Set<String> JUNIT = Set.of("--config", "--include-tag", "--exclude-tag");

  private static final Set<String> MAVEN =
      Set.of("compile", "test", "package", "verify", "install", "deploy");

  /** What ends a command in a shell, or leads its output elsewhere. */
  private static final Set<String> SHELL = Set.of(">", "|", "&&");

  /** Options of the JVM and of programs that are not ours. */
  private static final Set<String> FOREIGN_OPTIONS = Set.of("--enable-native-access");

  private final Path root;
  private final Set<String> sources;
  private final CommandSpec iolite = CommandModel.root();

  DocumentedCommands(Path root) throws IOException {
    this.root = root;
    sources = sources(root);
  }

  /** Returns the commands of a block, one a line, without comments. */
  static List<String> lines(MarkdownPage.Block block) {
    String text = CONTINUED.matcher(String.join("\n", block.lines())).replaceAll(" ");
    return text.lines()
        .map(line -> COMMENT.matcher(line).replaceAll("").strip())
        .filter(line -> !line.isEmpty())
        .toList();
  }

  /** Returns what is wrong with a command; empty if nothing is, or if it is not ours. */
  Optional<String> problem(String command) throws IOException {
    List<String> words = new ArrayList<>(Arrays.asList(command.strip().split("\\s+")));
    if (words.getFirst().equals("time")) {
      words.removeFirst();
    }
    String first = words.removeFirst();
    if (first.equals("iolite")) {
      return iolite(words);
    }
    if (first.startsWith("scripts/") || first.startsWith(".ci/")) {
      return script(first, words);
    }
    if (first.equals("mvn")) {
      return maven(words);
    }
    if (first.startsWith("--")) {
      return option(first);
    }
    return Optional.empty();
  }

  private Optional<String> iolite(List<String> words) {
    CommandSpec at = iolite;
    int parameters = 0;
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (SHELL.contains(word)) {
        break;
      }
      if (word.equals("--")) {
        // What follows is another program's.
        parameters += words.size() - i - 1;
        break;
      }
      if (word.startsWith("-")) {
        String name = word.split("=", 2)[0];
        OptionSpec option = at.findOption(name);
        if (option == null) {
          return Optional.of("'%s' has no option %s".formatted(at.qualifiedName(), name));
        }
        i += word.contains("=") || option.arity().max() == 0 ? 0 : 1;
      } else if (at.subcommands().containsKey(word)) {
        at = at.subcommands().get(word).getCommandSpec();
      } else if (!at.subcommands().isEmpty()) {
        return at.name().equals("help")
            ? Optional.empty()
            : Optional.of("'%s' has no command '%s'".formatted(at.qualifiedName(), word));
      } else {
        parameters++;
      }
    }
    int most =
        at.positionalParameters().stream().mapToInt(p -> p.arity().max()).reduce(0, this::sum);
    return parameters > most
        ? Optional.of("'%s' takes %d parameters at most".formatted(at.qualifiedName(), most))
        : Optional.empty();
  }

  private int sum(int one, int other) {
    return (int) Math.min(Integer.MAX_VALUE, (long) one + other);
  }

  private Optional<String> script(String name, List<String> words) throws IOException {
    Path file = root.resolve(name);
    if (!Files.exists(file) || (!words.isEmpty() && !Files.isExecutable(file))) {
      return Optional.of("there is no " + name);
    }
    if (!Files.isRegularFile(file) || words.isEmpty()) {
      return Optional.empty();
    }
    if (name.equals("scripts/iolite")) {
      return iolite(words);
    }
    String text = Files.readString(file);
    List<String> usage = text.lines().filter(line -> USAGE.matcher(line).matches()).toList();
    if (usage.stream().anyMatch(line -> line.contains("COMMAND...") && !line.contains(" exec "))) {
      return words.isEmpty() ? Optional.empty() : problem(String.join(" ", words));
    }
    Set<String> commands = literals(usage);
    String command = "";
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.startsWith("-")) {
        String option = word.split("=", 2)[0];
        boolean isKnown =
            hasWord(text, option)
                || (command.equals("test") && JUNIT.contains(option))
                || (name.equals("scripts/test") && option.startsWith("-D"));
        if (!isKnown) {
          return Optional.of("%s has no option %s".formatted(name, option));
        }
        i += !word.contains("=") && Pattern.compile(option + " [A-Z]").matcher(text).find() ? 1 : 0;
      } else if (command.equals("run")) {
        return iolite(words.subList(i, words.size()));
      } else if (command.equals("exec")) {
        return Optional.empty();
      } else if (command.isEmpty() && !commands.isEmpty()) {
        if (!commands.contains(word)) {
          return Optional.of("%s has no command '%s'".formatted(name, word));
        }
        command = word;
      }
    }
    return Optional.empty();
  }

  /** The literal words of usage lines: only the first of each line. */
  private static Set<String> literals(List<String> usage) {
    Set<String> all = new TreeSet<>();
    for (String line : usage) {
      String rest = USAGE.matcher(line).replaceAll("$1").replaceAll("\\[.*?]|--[a-z]+ [A-Z]+", "");
      Arrays.stream(rest.strip().split("\\s+"))
          .filter(word -> word.matches("[a-z]+"))
          .findFirst()
          .ifPresent(all::add);
    }
    return all;
  }

  private static boolean hasWord(String text, String word) {
    return Pattern.compile("(?<![\\w-])" + Pattern.quote(word) + "(?![\\w-])").matcher(text).find();
  }

  private Optional<String> maven(List<String> words) {
    for (String word : words) {
      if (word.startsWith("-Dtest=") && !hasFile(word.substring(7) + ".java")) {
        return Optional.of("there is no test " + word.substring(7));
      }
      if (!word.startsWith("-") && !MAVEN.contains(word)) {
        return Optional.of("Maven has no phase '%s'".formatted(word));
      }
    }
    return Optional.empty();
  }

  private Optional<String> option(String word) throws IOException {
    String name = word.split("=", 2)[0];
    if (FOREIGN_OPTIONS.contains(name) || hasOption(iolite, name)) {
      return Optional.empty();
    }
    try (Stream<Path> scripts = Files.list(root.resolve("scripts"))) {
      for (Path script : scripts.filter(Files::isRegularFile).toList()) {
        if (hasWord(Files.readString(script), name)) {
          return Optional.empty();
        }
      }
    }
    return Optional.of("no command has an option " + name);
  }

  private static boolean hasOption(CommandSpec command, String name) {
    return command.findOption(name) != null
        || command.subcommands().values().stream()
            .anyMatch(below -> hasOption(below.getCommandSpec(), name));
  }

  /** Whether a file of that name is among the sources. */
  boolean hasFile(String name) {
    return sources.contains(name);
  }

  private static Set<String> sources(Path root) throws IOException {
    Set<String> names = new HashSet<>();
    for (String folder : List.of("src", "examples")) {
      try (Stream<Path> files = Files.walk(root.resolve(folder))) {
        files.map(file -> file.getFileName().toString()).forEach(names::add);
      }
    }
    return names;
  }
}
