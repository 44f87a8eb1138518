package dev.iolite.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What scripts/fuzz starts with, and what it has found: no parser fails on it. */
class CorpusTest {
  private static List<Path> corpus(Parser parser) throws IOException {
    try (Stream<Path> files = Files.list(parser.corpus())) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Parser.class)
  void everyParserUnderstandsItsCorpusOrRefusesIt(Parser parser) throws IOException {
    List<Path> corpus = corpus(parser);
    assertThat(corpus).as(parser.corpus().toString()).isNotEmpty();
    for (Path file : corpus) {
      byte[] bytes = Files.readAllBytes(file);
      assertThatCode(() -> parser.read(bytes)).as(file.toString()).doesNotThrowAnyException();
    }
  }
}
