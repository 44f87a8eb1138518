package dev.iolite.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;

/**
 * Rows of cells: in columns, or stacked where the columns would be too wide.
 *
 * @param header the columns' names
 * @param rows the rows, each with as many cells as the header
 */
record Table(List<Text> header, List<List<Text>> rows) {
  private static final int GAP = 2;
  private static final int INDENT = 4;

  /** Its width if it is laid out in columns. */
  int width() {
    int width = -GAP;
    for (int i = 0; i < header.size(); i++) {
      width += width(i) + GAP;
    }
    return width;
  }

  private int width(int column) {
    int width = header.get(column).getCJKAdjustedLength();
    for (List<Text> row : rows) {
      width = Math.max(width, row.get(column).getCJKAdjustedLength());
    }
    return width;
  }

  /** The rows below the header, in columns that are as wide as they need to be. */
  List<String> inColumns(ColorScheme colours) {
    Column[] columns = new Column[header.size()];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = new Column(width(i) + GAP, 0, Column.Overflow.TRUNCATE);
    }
    TextTable table = TextTable.forColumns(colours, columns);
    table.addRowValues(header.toArray(Text[]::new));
    rows.forEach(row -> table.addRowValues(row.toArray(Text[]::new)));
    return table.toString().lines().toList();
  }

  /**
   * Each row in its own lines, which are broken between cells; every cell follows its column's
   * name:
   *
   * <pre>
   * REGION BAR0  GPA 0x2000000  SIZE 64 KiB
   *     KIND shared  SLOT 1  EPT mapped
   * </pre>
   */
  List<String> stacked(int columns) {
    List<String> lines = new ArrayList<>();
    for (List<Text> row : rows) {
      String line = "";
      for (int i = 0; i < row.size(); i++) {
        String value = row.get(i).toString();
        String item = header.get(i) + " " + (value.isEmpty() ? "-" : value);
        if (line.isEmpty()) {
          line = item;
        } else if (Wrapping.width(line) + GAP + Wrapping.width(item) <= columns) {
          line += " ".repeat(GAP) + item;
        } else {
          add(lines, line, columns);
          line = " ".repeat(INDENT) + item;
        }
      }
      add(lines, line, columns);
    }
    return lines;
  }

  /** Adds a line, which may be too long: a cell may be wider than a line. */
  private static void add(List<String> lines, String line, int columns) {
    Wrapping.of(line, columns, 2 * INDENT).lines().forEach(lines::add);
  }
}
