package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every public type of the client says which threads may use it. */
class ThreadRulesTest {
  private static final Path CLIENT = Path.of("src/client/src/main/java/dev/iolite");

  /** A class or interface with its Javadoc; records, enums and exceptions follow the package. */
  private static final Pattern TYPE =
      Pattern.compile(
          "/\\*\\*((?:(?!\\*/).)*)\\*/\\s*(?:@\\S+\\s+)*"
              + "^public (?:\\w+ |non-sealed )*(?:class|interface) (\\w+)",
          Pattern.DOTALL | Pattern.MULTILINE);

  private static final List<String> RULES =
      List.of("afe for use by several threads", "or use by one thread at a time", "or use by the");

  private static String oneLine(String javadoc) {
    return javadoc.replaceAll("\\s*\\n\\s*\\*\\s*", " ");
  }

  @Test
  void everyPublicTypeSaysWhichThreadsMayUseIt() throws IOException {
    List<String> silent = new ArrayList<>();
    int rules = 0;
    try (Stream<Path> files = Files.walk(CLIENT)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        for (MatchResult type : TYPE.matcher(Files.readString(file)).results().toList()) {
          String name = type.group(2);
          boolean says = RULES.stream().anyMatch(oneLine(type.group(1))::contains);
          rules += says ? 1 : 0;
          if (!says && !name.endsWith("Exception")) {
            silent.add(CLIENT.relativize(file).toString());
          }
        }
      }
    }
    assertThat(silent).isEmpty();
    assertThat(rules).as("types with a rule of their own").isGreaterThan(50);
  }

  @Test
  void everyPackageSaysItOfItsValues() throws IOException {
    try (Stream<Path> files = Files.walk(CLIENT)) {
      assertThat(files.filter(f -> f.endsWith("package-info.java")))
          .hasSize(9)
          .allSatisfy(file ->
              assertThat(oneLine(Files.readString(file)))
                  .contains("Records, enums and exceptions never change: they are safe"));
    }
  }
}
