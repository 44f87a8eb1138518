package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.CommandModel;
import dev.iolite.cli.Main;
import dev.iolite.doctor.Doctor;
import dev.iolite.junit.MockHostExtension;
import dev.iolite.kernel.Advice;
import dev.iolite.mock.MockKernel;
import dev.iolite.testcontainers.LabContainer;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.StringEntry;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The texts of the artifacts, which are the constants of their classes; the usage is in
 * annotations, and is none of them.
 */
class MessagesTest {
  private static final List<Class<?>> ARTIFACTS =
      List.of(
          Advice.class,
          MockKernel.class,
          MockHostExtension.class,
          LabContainer.class,
          Doctor.class,
          Main.class);
  private static final Pattern PLACEHOLDER = Pattern.compile("\\bBDF\\b|VENDOR:DEVICE");

  /** A text, and the class that has it. */
  private record Text(String of, String text) {
    boolean isOfCli() {
      return of.startsWith("dev/iolite/cli/");
    }

    /** An option of the lab's script boot, which the container runs. */
    boolean isOptionOfBoot() {
      return of.equals("dev/iolite/testcontainers/LabContainer.class") && text.startsWith("--");
    }

    /** Alone it is a table's heading. */
    boolean hasPlaceholder() {
      return PLACEHOLDER.matcher(text).find() && !text.equals("BDF");
    }
  }

  private static final List<Text> TEXTS = new ArrayList<>();

  @BeforeAll
  static void readTheClasses() throws IOException, URISyntaxException {
    Set<Path> places = new LinkedHashSet<>();
    for (Class<?> one : ARTIFACTS) {
      places.add(Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI()));
    }
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        read(place);
      } else {
        try (FileSystem jar = FileSystems.newFileSystem(place)) {
          read(jar.getPath("/"));
        }
      }
    }
  }

  private static void read(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root.resolve("dev/iolite"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        String name = root.relativize(file).toString();
        for (PoolEntry entry : ClassFile.of().parse(Files.readAllBytes(file)).constantPool()) {
          if (entry instanceof StringEntry constant) {
            TEXTS.add(new Text(name, constant.stringValue()));
          }
        }
      }
    }
  }

  @Test
  void theTextsOfEveryArtifactAreRead() {
    for (Class<?> one : ARTIFACTS) {
      String room = one.getPackageName().replace('.', '/') + "/";
      assertThat(TEXTS).anyMatch(text -> text.of().startsWith(room));
    }
  }

  @Test
  void noMessageHasAPlaceholder() {
    assertThat(TEXTS).filteredOn(Text::hasPlaceholder).isEmpty();
  }

  @Test
  void onlyTheCliNamesACommandOfOurs() {
    Predicate<String> names = commands().asPredicate();
    assertThat(TEXTS).filteredOn(Text::isOfCli).anyMatch(text -> names.test(text.text()));
    assertThat(TEXTS)
        .filteredOn(text -> !text.isOfCli() && !text.isOptionOfBoot())
        .filteredOn(text -> names.test(text.text()))
        .isEmpty();
  }

  /** A command of iolite, an option of one, or a script. */
  private static Pattern commands() {
    CommandSpec root = CommandModel.root();
    String commands = String.join("|", root.subcommands().keySet());
    String options =
        specs(root)
            .flatMap(spec -> spec.options().stream())
            .map(OptionSpec::longestName)
            .filter(name -> name.startsWith("--"))
            // Also an option of container engines, which advice may name.
            .filter(name -> !name.equals("--device"))
            .distinct()
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    return Pattern.compile(
        "\\biolite (--|(%s)\\b)|(?<![-\\w])(%s)(?![-\\w])|\\bscripts/"
            .formatted(commands, options));
  }

  private static Stream<CommandSpec> specs(CommandSpec spec) {
    return Stream.concat(
        Stream.of(spec),
        spec.subcommands().values().stream()
            .map(CommandLine::getCommandSpec)
            .flatMap(MessagesTest::specs));
  }
}
