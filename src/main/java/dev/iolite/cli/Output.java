package dev.iolite.cli;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.pci.PciAddress;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.ToStringSerializer;

/**
 * Prints results: tables and lines for people, JSON for programs. Text may carry picocli's markup,
 * {@code @|green OK|@}, which becomes colour on a terminal only.
 */
final class Output {
  private static final int GAP = 2;

  /** Addresses and ranges are text in JSON: a 64-bit number would lose digits in many readers. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .addModule(
              new SimpleModule()
                  .addSerializer(PciAddress.class, ToStringSerializer.instance)
                  .addSerializer(IovaRange.class, ToStringSerializer.instance))
          .build();

  private final PrintWriter out;
  private final Ansi ansi;
  private final CommonOptions.Format format;

  Output(CommandLine command, CommonOptions.Format format) {
    this.out = command.getOut();
    this.ansi = command.getColorScheme().ansi();
    this.format = format;
  }

  /** Whether a program reads it. */
  boolean isJson() {
    return format == CommonOptions.Format.JSON;
  }

  /** Prints a value as JSON, whatever the format. */
  void json(Object value) {
    out.println(JSON.writeValueAsString(value));
  }

  /** Prints a line. */
  void line(String text) {
    out.println(ansi.string(text));
  }

  /** Prints a line as it is, without markup. */
  void verbatim(String text) {
    out.println(text);
  }

  /** Prints names and values, given in turn. */
  void properties(String... namesAndValues) {
    int width = 0;
    for (int i = 0; i < namesAndValues.length; i += 2) {
      width = Math.max(width, namesAndValues[i].length());
    }
    for (int i = 0; i < namesAndValues.length; i += 2) {
      String name = namesAndValues[i] + " ".repeat(width + GAP - namesAndValues[i].length());
      line("@|bold " + name + "|@" + namesAndValues[i + 1]);
    }
  }

  /** Prints rows in columns that are as wide as they need to be. */
  void table(List<String> header, List<List<String>> rows) {
    List<List<Text>> lines = new ArrayList<>();
    lines.add(header.stream().map(cell -> ansi.text("@|bold " + cell + "|@")).toList());
    rows.forEach(row -> lines.add(row.stream().map(ansi::text).toList()));

    Column[] columns = new Column[header.size()];
    for (int i = 0; i < columns.length; i++) {
      int column = i;
      int width =
          lines.stream().mapToInt(line -> line.get(column).getCJKAdjustedLength()).max().orElse(0);
      columns[i] = new Column(width + GAP, 0, Column.Overflow.TRUNCATE);
    }
    TextTable table = TextTable.forColumns(Help.defaultColorScheme(ansi), columns);
    lines.forEach(line -> table.addRowValues(line.toArray(Text[]::new)));
    out.print(table);
    out.flush();
  }
}
