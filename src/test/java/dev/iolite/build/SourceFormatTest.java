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

  @Test
  void everySourceFileIsFormatted() throws IOException, FormatterException {
    Formatter formatter = new Formatter(JavaFormatterOptions.defaultOptions());
    List<Path> unformatted = new ArrayList<>();
    for (String folder : List.of("src", "examples")) {
      for (Path file : sources(Path.of(folder))) {
        String source = Files.readString(file);
        String ordered =
            ImportOrderer.reorderImports(
                RemoveUnusedImports.removeUnusedImports(source), JavaFormatterOptions.Style.GOOGLE);
        String formatted = formatter.formatSource(ordered);
        if (!formatted.equals(source)) {
          unformatted.add(file);
          if (APPLY) {
            Files.writeString(file, formatted);
          }
        }
      }
    }
    assertThat(APPLY ? List.of() : unformatted)
        .as("files to format; mvn test -Dtest=SourceFormatTest -Diolite.format=apply does it")
        .isEmpty();
  }

  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList();
    }
  }
}
