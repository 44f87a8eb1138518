package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every source file is formatted by google-java-format. {@code mvn test -Dtest=SourceFormatTest
 * -Diolite.format=apply} rewrites those that are not.
 */
class SourceFormatTest {
  private static final boolean APPLY = "apply".equals(System.getProperty("iolite.format"));
  private static final List<Path> SOURCES =
      List.of(Path.of("src"), Path.of("bindings", "src"), Path.of("examples"));

  @Test
  void everySourceFileIsFormatted() throws IOException, FormatterException {
    List<Path> unformatted = new ArrayList<>();
    for (Path sources : SOURCES) {
      try (Stream<Path> files = Files.walk(sources)) {
        for (Path file : files.filter(SourceFormatTest::isSource).toList()) {
          if (!isFormatted(file)) {
            unformatted.add(file);
          }
        }
      }
    }
    assertThat(APPLY ? List.of() : unformatted)
        .as("files to format; mvn test -Dtest=SourceFormatTest -Diolite.format=apply does it")
        .isEmpty();
  }

  private static boolean isSource(Path file) {
    return file.toString().endsWith(".java") && !file.toString().contains("/target/");
  }

  private static boolean isFormatted(Path file) throws IOException, FormatterException {
    String source = Files.readString(file);
    String ordered =
        ImportOrderer.reorderImports(
            RemoveUnusedImports.removeUnusedImports(source), JavaFormatterOptions.Style.GOOGLE);
    String formatted = new Formatter(JavaFormatterOptions.defaultOptions()).formatSource(ordered);
    if (APPLY && !formatted.equals(source)) {
      Files.writeString(file, formatted);
    }
    return formatted.equals(source);
  }
}
