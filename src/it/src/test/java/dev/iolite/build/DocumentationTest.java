package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks that what the documentation names exists: links, commands, files, examples. */
class DocumentationTest {
  private static final Path ROOT = Path.of("").toAbsolutePath();

  /** The languages that examples/ has programs in, as a page names them. */
  private static final Set<String> OF_EXAMPLES = Set.of("java", "xml", "c", "rust", "go");

  private final DocumentedCommands commands;

  DocumentationTest() throws IOException {
    commands = new DocumentedCommands(ROOT);
  }

  private static List<MarkdownPage> pages() throws IOException {
    List<MarkdownPage> pages = new ArrayList<>();
    for (String folder : List.of("docs", "examples", "kernel", "src")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        for (Path file : files.filter(DocumentationTest::isPage).toList()) {
          pages.add(MarkdownPage.read(file));
        }
      }
    }
    try (Stream<Path> files = Files.list(ROOT)) {
      for (Path file : files.filter(DocumentationTest::isPage).toList()) {
        pages.add(MarkdownPage.read(file));
      }
    }
    return pages;
  }

  private static boolean isPage(Path file) {
    return file.toString().endsWith(".md");
  }

  private static String at(MarkdownPage page, int line) {
    return "%s:%d: ".formatted(ROOT.relativize(page.file()), line);
  }

  @Test
  void everyLinkLeadsSomewhere() throws IOException {
    List<String> broken = new ArrayList<>();
    for (MarkdownPage page : pages()) {
      broken.addAll(brokenLinks(page));
    }
    assertThat(broken).isEmpty();
  }

  private static List<String> brokenLinks(MarkdownPage page) throws IOException {
    List<String> broken = new ArrayList<>();
    for (MarkdownPage.Part link : page.links()) {
      if (link.text().matches("[a-z]+:.*")) {
        continue;
      }
      String[] parts = link.text().split("#", 2);
      Path target =
          parts[0].isEmpty() ? page.file() : page.file().resolveSibling(parts[0]).normalize();
      if (!Files.exists(target)) {
        broken.add(at(page, link.line()) + link.text() + " does not exist");
      } else if (parts.length == 2
          && !(isPage(target) && MarkdownPage.read(target).anchors().contains(parts[1]))) {
        broken.add(at(page, link.line()) + link.text() + ": the page has no such heading");
      }
    }
    return broken;
  }

  @Test
  void everyCommandExists() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (MarkdownPage page : pages()) {
      wrong.addAll(wrongCommands(page));
    }
    assertThat(wrong).isEmpty();
  }

  private List<String> wrongCommands(MarkdownPage page) throws IOException {
    List<String> wrong = new ArrayList<>();
    for (MarkdownPage.Block block : page.blocks()) {
      for (String line : DocumentedCommands.lines(block)) {
        problem(line).ifPresent(problem -> wrong.add(at(page, block.line()) + problem));
      }
    }
    for (MarkdownPage.Part code : page.codes()) {
      problem(code.text()).ifPresent(problem -> wrong.add(at(page, code.line()) + problem));
    }
    return wrong;
  }

  private Optional<String> problem(String command) throws IOException {
    return command.isBlank()
        ? Optional.empty()
        : commands.problem(command).map(problem -> "'" + command + "': " + problem);
  }

  @Test
  void everyFileOfOursThatIsNamedExists() throws IOException {
    List<String> missing = new ArrayList<>();
    for (MarkdownPage page : pages()) {
      for (MarkdownPage.Part code : page.codes()) {
        String name = code.text();
        boolean isMissing =
            name.matches("\\w+\\.java") ? !commands.hasFile(name) : isMissingPath(name);
        if (isMissing) {
          missing.add(at(page, code.line()) + "there is no " + name);
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private static boolean isMissingPath(String name) {
    boolean isPath = name.matches("(native-headers|kernel)/[\\w./-]+") && !name.contains("NAME");
    return isPath && !Files.exists(ROOT.resolve(name));
  }

  @Test
  void everyExampleIsPartOfAProgramThatIsCompiled() throws IOException {
    List<List<String>> programs = new ArrayList<>();
    try (Stream<Path> files = Files.walk(ROOT.resolve("examples"))) {
      for (Path file :
          files.filter(f -> f.toString().matches(".*\\.(java|xml|c|rs|go)")).toList()) {
        programs.add(Files.readAllLines(file));
      }
    }
    List<String> strange = new ArrayList<>();
    for (MarkdownPage page : pages()) {
      for (MarkdownPage.Block block : page.blocks()) {
        if (OF_EXAMPLES.contains(block.language())
            && programs.stream().noneMatch(file -> contains(file, block.lines()))) {
          strange.add(at(page, block.line()) + "no file of examples/ has these lines");
        }
      }
    }
    assertThat(strange).isEmpty();
  }

  private static boolean contains(List<String> file, List<String> lines) {
    return Collections.indexOfSubList(file, lines) >= 0;
  }

  @Test
  void aBrokenLinkAndAMadeUpCommandAreFound(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("page.md");
    List<String> lines =
        List.of(
            "# A page",
            "[gone](gone.md), [no heading](page.md#b), [good](page.md#a-page), `[no](link)`",
            "Type `iolite tdi fly` or `iolite doctor --fly` or `--fly`, not `iolite pci show BDF`.",
            "```sh",
            "scripts/fly",
            "scripts/fly --now # and",
            "scripts/lab fly",
            "scripts/lab --fly run doctor",
            "scripts/lab run --machine sriov pci fly",
            "scripts/iolite kvm hello a b",
            "scripts/bench --fly",
            "mvn fly",
            "mvn test -Dtest=FlyTest",
            "scripts/lab --kernel seed-2025 run --as-built tdi assign 0000:00:03.0",
            "```");
    Files.write(file, lines);
    MarkdownPage page = MarkdownPage.parse(ROOT.resolve("page.md"), lines);

    assertThat(brokenLinks(MarkdownPage.read(file)))
        .hasSize(2)
        .allMatch(s -> s.contains("page.md:2"));
    assertThat(wrongCommands(page))
        .containsExactly(
            "page.md:4: 'scripts/fly': there is no scripts/fly",
            "page.md:4: 'scripts/fly --now': there is no scripts/fly",
            "page.md:4: 'scripts/lab fly': scripts/lab has no command 'fly'",
            "page.md:4: 'scripts/lab --fly run doctor': scripts/lab has no option --fly",
            "page.md:4: 'scripts/lab run --machine sriov pci fly': 'iolite pci' has no command"
                + " 'fly'",
            "page.md:4: 'scripts/iolite kvm hello a b': 'iolite kvm hello' takes 1 parameters at"
                + " most",
            "page.md:4: 'scripts/bench --fly': scripts/bench has no option --fly",
            "page.md:4: 'mvn fly': Maven has no phase 'fly'",
            "page.md:4: 'mvn test -Dtest=FlyTest': there is no test FlyTest",
            "page.md:3: 'iolite tdi fly': 'iolite tdi' has no command 'fly'",
            "page.md:3: 'iolite doctor --fly': 'iolite doctor' has no option --fly",
            "page.md:3: '--fly': no command has an option --fly");
  }
}
