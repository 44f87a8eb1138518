package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.Transition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code iolite tdi states}. */
class TdiStatesTest {
  @TempDir private Path directory;

  @Test
  void thePairsAndTheRowsAreShown() {
    Cli cli = Cli.run("tdi", "states");
    assertThat(cli.code()).isZero();
    assertThat(cli.err()).isEmpty();
    List<String> lines = cli.out().lines().toList();
    assertThat(lines.getFirst().split(" +"))
        .containsExactly(
            "EVENT",
            "unassigned",
            "shared",
            "withdrawn",
            "locked",
            "split",
            "running",
            "error",
            "quarantined");
    assertThat(lines).anyMatch(line -> line.matches("bind +- +split +- +- +- +- +split +-"));
    assertThat(lines)
        .anyMatch(line -> line.matches("start +- +- +- +- +running( +-){3}"))
        .anyMatch(line ->
            line.matches("split +start +start the interface +running +as before; quarantined .*"));
    int parts = Transition.table().stream().mapToInt(row -> row.parts().size()).sum();
    assertThat(lines.indexOf("")).isEqualTo(1 + Event.values().length);
    assertThat(lines.lastIndexOf("")).isEqualTo(1 + Event.values().length + 1 + 1 + parts);
  }

  @Test
  void asJsonItIsTheTable() {
    Cli cli = Cli.run("tdi", "states", "-o", "json");
    JsonNode table = JsonMapper.shared().readTree(cli.out());
    assertThat(table).hasSize(Transition.table().size());
    assertThat(table.get(0).toString())
        .isEqualTo(
            "{\"from\":[\"unassigned\"],\"on\":[\"assign\"],\"parts\":[{\"moves\":[\"undo what"
                + " an earlier release could not\"],\"to\":null,\"failure\":\"as before\"},"
                + "{\"moves\":[\"make host and guest ready\",\"share the BARs\"],\"to\":\"shared\","
                + "\"failure\":\"released\"}]}");
  }

  @Test
  void bothDrawingsHaveEachStateAndWhatLeadsOutOfIt() throws Exception {
    Path dot = directory.resolve("states.dot");
    Path svg = directory.resolve("states.svg");
    assertThat(Cli.run("tdi", "states", "--dot", dot.toString(), "--svg", svg.toString()).code())
        .isZero();
    assertThat(Files.readString(dot))
        .startsWith("digraph states {\n")
        .contains("  \"split\" -> \"running\" [label=\"start\"];\n")
        .contains("  \"error\" -> \"shared\" [label=\"unbind\"];\n")
        .endsWith("}\n");
    var texts =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(svg.toFile())
            .getElementsByTagName("text");
    long edges = Pattern.compile(" -> ").matcher(Files.readString(dot)).results().count();
    assertThat(edges).isGreaterThan(State.values().length);
    assertThat(texts.getLength()).isEqualTo((int) edges + State.values().length);
  }

  @Test
  void aFileThatCantBeWrittenIsNamed() {
    Cli cli = Cli.run("tdi", "states", "--svg", directory.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("write the picture " + directory);
  }
}
