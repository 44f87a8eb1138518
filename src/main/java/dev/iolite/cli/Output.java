package dev.iolite.cli;

import dev.iolite.steps.Step;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.LayoutPicture;
import dev.iolite.tdi.layout.MmioLayout;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;

/**
 * Prints results: tables and lines for people, JSON for programs. A text is printed as it is, since
 * it may come from a device; only {@link #styled} ones have colours, and those on a terminal only.
 */
final class Output {
  private static final int GAP = 2;
  private static final int WIDTH = 100;
  private static final int CONTINUATION = 4;
  private static final int PICTURE_COLUMNS = 80;

  private final PrintWriter out;
  private final ColorScheme colours;
  private final CommonOptions.Format format;

  Output(CommandLine command, CommonOptions.Format format) {
    this(command.getOut(), command.getColorScheme(), format);
  }

  /** Prints there. */
  Output(PrintWriter out, ColorScheme colours, CommonOptions.Format format) {
    this.out = out;
    this.colours = colours;
    this.format = format;
  }

  /** Where it prints to. */
  PrintWriter writer() {
    return out;
  }

  /** The colours of its texts. */
  ColorScheme colours() {
    return colours;
  }

  /** Whether a program reads it. */
  boolean isJson() {
    return format == CommonOptions.Format.JSON;
  }

  /** Prints a value as JSON, whatever the format. */
  void json(Object value) {
    out.println(Json.of(value));
  }

  /** A text in a colour or another style. */
  Text styled(String text, Style... styles) {
    return colours.apply(text, List.of(styles));
  }

  /** Prints a line for people; programs do without it. */
  void notice(String text) {
    if (!isJson()) {
      line(styled(text, Style.bold), "");
    }
  }

  /** How a step came out. */
  Text mark(Step step) {
    return step.succeeded() ? styled("ok    ", Style.fg_green) : styled("FAILED", Style.fg_red);
  }

  /** Prints a line. */
  void line(String text) {
    out.println(text);
  }

  /** Prints a text and what follows it on its line. */
  void line(Text start, String end) {
    out.println(start + end);
  }

  /** Prints a text, in more than one line if it is long; nothing of it is left out. */
  void wrapped(int indent, String text) {
    String margin = " ".repeat(indent);
    String rest = text;
    while (margin.length() + rest.length() > WIDTH) {
      int room = WIDTH - margin.length();
      int space = rest.lastIndexOf(' ', room);
      int end = space > 0 ? space : room;
      out.println(margin + rest.substring(0, end));
      rest = rest.substring(space > 0 ? end + 1 : end);
      margin = " ".repeat(indent + CONTINUATION);
    }
    out.println(margin + rest);
  }

  /** Prints a drawn layout, with the kinds in colours of their own. */
  void picture(MmioLayout layout) {
    for (LayoutPicture.Line line : LayoutPicture.of(layout, PICTURE_COLUMNS)) {
      StringBuilder text = new StringBuilder();
      for (LayoutPicture.Part part : line.parts()) {
        text.append(
            part.kind()
                .map(kind -> styled(part.text(), colour(kind)).toString())
                .orElse(part.text()));
      }
      out.println(text);
    }
  }

  private static Style colour(Kind kind) {
    return kind == Kind.PRIVATE ? Style.fg_cyan : Style.fg_yellow;
  }

  /** Prints names and values, given in turn. */
  void properties(String... namesAndValues) {
    int width = 0;
    for (int i = 0; i < namesAndValues.length; i += 2) {
      width = Math.max(width, namesAndValues[i].length());
    }
    for (int i = 0; i < namesAndValues.length; i += 2) {
      String name = namesAndValues[i] + " ".repeat(width + GAP - namesAndValues[i].length());
      line(styled(name, Style.bold), namesAndValues[i + 1]);
    }
  }

  /** Prints rows in columns that are as wide as they need to be. */
  void table(List<String> header, List<List<String>> rows) {
    styledTable(
        header, rows.stream().map(row -> row.stream().map(cell -> styled(cell)).toList()).toList());
  }

  /** As {@link #table}, with cells that may have colours. */
  void styledTable(List<String> header, List<List<Text>> rows) {
    List<List<Text>> lines = new ArrayList<>();
    lines.add(header.stream().map(cell -> styled(cell, Style.bold)).toList());
    lines.addAll(rows);

    Column[] columns = new Column[header.size()];
    for (int i = 0; i < columns.length; i++) {
      int column = i;
      int width =
          lines.stream().mapToInt(line -> line.get(column).getCJKAdjustedLength()).max().orElse(0);
      columns[i] = new Column(width + GAP, 0, Column.Overflow.TRUNCATE);
    }
    TextTable table = TextTable.forColumns(colours, columns);
    lines.forEach(line -> table.addRowValues(line.toArray(Text[]::new)));
    out.print(table);
    out.flush();
  }
}
