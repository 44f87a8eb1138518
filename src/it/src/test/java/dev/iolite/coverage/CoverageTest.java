package dev.iolite.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.Coverage;
import dev.iolite.cli.Coverage.Ended;
import dev.iolite.cli.Coverage.Row;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the coverage says is so; {@code scripts/coverage} makes it anew. */
class CoverageTest {
  private static final Coverage COVERAGE = Coverage.read();

  @Test
  void theRowsAreTheCallsOfTheHeadersAndTheMethodsThoseOfTheClient()
      throws IOException, URISyntaxException {
    Map<String, Map<Coverage.Backend, Ended>> ended =
        COVERAGE.rows().stream().collect(Collectors.toMap(Census::key, Row::ended));
    Coverage now =
        Census.take(COVERAGE, ClientMethods.read(), key -> ended.getOrDefault(key, Map.of()));
    assertThat(COVERAGE.rows()).containsExactlyElementsOf(now.rows());
  }

  @Test
  void aRowWithoutAMethodOrATestSaysWhy() {
    assertThat(COVERAGE.rows())
        .filteredOn(row -> row.method().isEmpty() || !row.ended().containsValue(Ended.YES))
        .allMatch(row -> !row.note().isEmpty());
  }

  @Test
  void thePageShowsTheRows() throws IOException {
    assertThat(Files.readString(CoveragePage.FILE)).isEqualTo(CoveragePage.of(COVERAGE));
  }
}
