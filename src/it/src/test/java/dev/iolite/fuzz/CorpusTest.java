package dev.iolite.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What scripts/fuzz starts with, and what it has found: no parser fails on it. */
class CorpusTest {
  @ParameterizedTest
  @EnumSource(Parser.class)
  void everyParserUnderstandsItsCorpusOrRefusesIt(Parser parser) throws IOException {
    List<Path> corpus = parser.corpus();
    assertThat(corpus).as("corpus of " + parser).isNotEmpty();
    for (Path file : corpus) {
      byte[] bytes = Files.readAllBytes(file);
      assertThatCode(() -> parser.read(bytes)).as(file.toString()).doesNotThrowAnyException();
    }
  }
}
