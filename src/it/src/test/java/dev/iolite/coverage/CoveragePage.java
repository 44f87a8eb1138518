package dev.iolite.coverage;

import dev.iolite.cli.Coverage;
import dev.iolite.cli.Coverage.Ended;
import dev.iolite.cli.Coverage.Row;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes the coverage and its page, from what the contract has seen. */
final class CoveragePage {
  static final Path FILE = Path.of("docs/coverage.md");

  private static final Path ROWS = Path.of("src/cli/src/main/resources/dev/iolite/cli/coverage");

  private static final String HEAD =
      """
      # Coverage

      Every ioctl that Linux 7.3 has on x86-64, and the parts of those that its headers divide into
      parts. `iolite uapi --coverage` prints the same. `scripts/coverage` makes this page: it reads
      the methods from the client's classes, and how a call ended is what the contract suite saw.

      - **Method**: the client's method or constant for the call.
      - **Model**, **Lab**, **Host KVM**: how the call ended in the contract suite on the model, on
        the lab's real kernel, and on the KVM of the machine where this page was made. *yes*: it
        succeeded. *refused*: the kernel has the call, but refused it each time. *-*: it wasn't
        made, or the kernel doesn't have it.

      """;

  private CoveragePage() {}

  /**
   * Takes the coverage anew.
   *
   * @param arguments a directory with the calls that were seen, in a file for each backend; a
   *     backend without a file keeps what it has
   */
  public static void main(String... arguments) throws IOException, URISyntaxException {
    Coverage before = Coverage.read();
    Map<Coverage.Backend, Map<String, Ended>> seen = new EnumMap<>(Coverage.Backend.class);
    for (Coverage.Backend backend : Coverage.Backend.values()) {
      seen.put(backend, seen(Path.of(arguments[0], backend.name()), before, backend));
    }
    Coverage now =
        Census.take(
            before,
            ClientMethods.read(),
            key ->
                seen.entrySet().stream()
                    .collect(
                        Collectors.toMap(
                            Map.Entry::getKey, on -> on.getValue().getOrDefault(key, Ended.NO))));
    Files.writeString(ROWS, rows(now));
    Files.writeString(FILE, of(now));
  }

  private static Map<String, Ended> seen(Path file, Coverage before, Coverage.Backend backend)
      throws IOException {
    Map<String, Ended> seen = new HashMap<>();
    try {
      for (String line : Files.readAllLines(file)) {
        int end = line.lastIndexOf(' ');
        seen.put(line.substring(0, end), Ended.valueOf(line.substring(end + 1)));
      }
    } catch (NoSuchFileException e) {
      before.rows().forEach(row -> seen.put(Census.key(row), row.on(backend)));
    }
    return seen;
  }

  private static String rows(Coverage coverage) {
    StringBuilder text =
        new StringBuilder(
            """
            # DESCRIPTOR CALL[:PART] METHOD MODEL LAB HOST NOTE
            # Written by scripts/coverage, but for the notes, which it keeps.
            """);
    for (Row row : coverage.rows()) {
      text.append(String.join(" ", row.cells()).stripTrailing()).append('\n');
    }
    return text.toString();
  }

  static String of(Coverage coverage) {
    StringBuilder text = new StringBuilder(HEAD);
    Map<String, List<Row>> byDescriptor =
        coverage.rows().stream()
            .collect(
                Collectors.groupingBy(Row::descriptor, LinkedHashMap::new, Collectors.toList()));
    line(text, "Descriptor", "Calls and parts", "With a method", "Model", "Lab", "Host KVM");
    line(text, "---", "---", "---", "---", "---", "---");
    byDescriptor.forEach((descriptor, rows) -> line(text, total(descriptor, rows)));
    line(text, total("all", coverage.rows()));
    byDescriptor.forEach((descriptor, rows) -> {
      text.append("\n## ").append(descriptor).append("\n\n");
      line(text, "Call", "Method", "Model", "Lab", "Host KVM", "Note");
      line(text, "---", "---", "---", "---", "---", "---");
      rows.forEach(row -> line(text, row.cells().stream().skip(1).toArray(String[]::new)));
    });
    return text.toString();
  }

  private static String[] total(String name, List<Row> rows) {
    return Stream.concat(
            Stream.of(
                name,
                "" + rows.size(),
                "" + rows.stream().filter(row -> row.method().isPresent()).count()),
            Stream.of(Coverage.Backend.values())
                .map(backend ->
                    "" + rows.stream().filter(row -> row.on(backend) == Ended.YES).count()))
        .toArray(String[]::new);
  }

  private static void line(StringBuilder text, String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }
}
