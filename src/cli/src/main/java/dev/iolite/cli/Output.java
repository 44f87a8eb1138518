package dev.iolite.cli;

import dev.iolite.cli.drawing.LayoutPicture;
import dev.iolite.cli.drawing.LayoutPicture.Palette;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.ColorScheme;

/**
 * Prints results: tables and lines for people, JSON for programs. A text may come from a device, so
 * markup in it has no meaning, and what a terminal would obey, including an end of line, is shown
 * in the form of {@link Printable}. Only {@link #styled} texts have colours, and only on a
 * terminal.
 *
 * <p>Output for people fits the width of the terminal. A pipe has no width, so a line stays a line
 * for the programs that read it.
 */
public final class Output {
  private static final int GAP = 2;
  private static final int CONTINUATION = 4;

  /** The minimum room for a value beside the names. */
  private static final int LEAST_VALUE = 24;

  private final PrintWriter out;
  private final Terminal terminal;
  private final ColorScheme colours;
  private final CommonOptions.Format format;

  /** Makes an output that prints where a command prints its results. */
  Output(CommandLine command, CommonOptions.Format format) {
    this(command.getOut(), Main.of(command).outTerminal(), format);
  }

  /** Makes an output that prints to a writer. */
  Output(PrintWriter out, Terminal terminal, CommonOptions.Format format) {
    this.out = out;
    this.terminal = terminal;
    this.format = format;
    colours = terminal.colorScheme();
  }

  /** The terminal that it prints for. */
  public Terminal terminal() {
    return terminal;
  }

  /** The form that was asked for. */
  CommonOptions.Format format() {
    return format;
  }

  /** Whether a program reads it. */
  public boolean isJson() {
    return format == CommonOptions.Format.JSON || isJsonLines();
  }

  /** Whether a program reads it, and wants each object when it is there. */
  boolean isJsonLines() {
    return format == CommonOptions.Format.JSONL;
  }

  /** Prints a value as JSON, whatever the format; of several, each on its line if so wanted. */
  public void json(Object value) {
    if (!isJsonLines()) {
      print(value);
    } else if (value instanceof Collection<?> values) {
      values.forEach(this::printLine);
    } else {
      printLine(value);
    }
  }

  private void printLine(Object value) {
    String text = Json.line(value);
    out.println(terminal.canEncode(text) ? Printable.json(text) : Json.asciiLine(value));
    out.flush();
  }

  private void print(Object value) {
    String text = Json.of(value);
    out.println(terminal.canEncode(text) ? Printable.json(text) : Json.ascii(value));
  }

  /** A text in a colour or another style. */
  Text styled(String text, Style... styles) {
    return colours.apply(Printable.line(text), List.of(styles));
  }

  /** Prints a line for people, not for programs. */
  public void notice(String text) {
    if (!isJson()) {
      line(styled(text, Style.bold), "");
    }
  }

  /** Prints a message in the style of errors. */
  void error(String message) {
    int indent = message.length() - message.stripLeading().length();
    wrap(colours.errorText(Printable.line(message)).toString(), indent + CONTINUATION);
  }

  /** The outcome of a step. */
  Text mark(boolean succeeded) {
    return succeeded ? styled("ok    ", Style.fg_green) : styled("FAILED", Style.fg_red);
  }

  /** Prints a text in its own lines, however wide: it is already laid out, or not ours. */
  public void verbatim(String text) {
    out.println(Printable.lines(text));
  }

  /**
   * Prints as {@link #verbatim} does, with colours, what was laid out for this terminal elsewhere.
   */
  public void laidOut(String text) {
    out.print(Printable.laidOut(text, terminal.colours().enabled()));
    out.flush();
  }

  /** Whether nobody can read what is printed, as in a pipe whose reader has gone. */
  boolean isBroken() {
    return out.checkError();
  }

  /** Shows what is being done. */
  Progress progress() {
    return new Progress(out, terminal);
  }

  /** Shows texts in place of one another, until it is closed. */
  Screen screen() {
    return new Screen(out);
  }

  /** Prints a prompt; the answer goes on the same line. */
  public void prompt(String text) {
    out.print(Printable.line(text));
    out.flush();
  }

  /** Writes everything that was printed. */
  public void flush() {
    out.flush();
  }

  /** Prints a line; on a terminal, more than one if it is too long. */
  public void line(String text) {
    wrap(Printable.line(text), text.length() - text.stripLeading().length() + CONTINUATION);
  }

  /** Prints a text and what follows it on its line. */
  void line(Text start, String end) {
    String text = start.toString();
    wrap(text + Printable.line(end), text.length() - text.stripLeading().length() + CONTINUATION);
  }

  /**
   * Prints as {@link #line(String)} does, above lines with this indentation.
   *
   * @param parts texts, some of which may be {@link #styled}
   */
  void heading(int indent, Object... parts) {
    StringBuilder text = new StringBuilder();
    for (Object part : parts) {
      text.append(part instanceof Text ? part : Printable.line(part.toString()));
    }
    wrap(text.toString(), terminal.indent(indent) + CONTINUATION);
  }

  private void wrap(String text, int hang) {
    out.println(
        terminal.columns().isPresent()
            ? Wrapping.of(text, terminal.columns().getAsInt(), hang)
            : text);
  }

  /** Prints a text without omissions, in more than one line if it is long. */
  public void wrapped(int indent, String text) {
    int margin = terminal.indent(indent);
    out.println(
        Wrapping.of(
            " ".repeat(margin) + Printable.line(text),
            terminal.textColumns(),
            margin + CONTINUATION));
  }

  /** Prints remarks, each after an empty line. */
  void notes(List<String> remarks) {
    remarks.forEach(remark -> {
      line("");
      wrapped(0, "Note: " + remark);
    });
  }

  /** Prints a drawn layout, each kind in its own colour. */
  public void picture(MmioLayout layout) {
    boolean hasBlocks = terminal.canEncode(Palette.BLOCKS.characters());
    Palette palette = hasBlocks ? Palette.BLOCKS : Palette.ASCII;
    for (LayoutPicture.Line line : LayoutPicture.of(layout, terminal.pictureColumns(), palette)) {
      StringBuilder text = new StringBuilder();
      for (LayoutPicture.Part part : line.parts()) {
        text.append(
            part.kind()
                .map(kind -> styled(part.text(), colour(kind)).toString())
                .orElseGet(() -> Printable.line(part.text())));
      }
      wrap(text.toString(), CONTINUATION);
    }
  }

  private static Style colour(Kind kind) {
    return kind == Kind.PRIVATE ? Style.fg_cyan : Style.fg_yellow;
  }

  /**
   * Prints names and values, which alternate; where there is little room, a long value goes below
   * its name.
   */
  public void properties(String... namesAndValues) {
    int width = 0;
    for (int i = 0; i < namesAndValues.length; i += 2) {
      width = Math.max(width, namesAndValues[i].length());
    }
    int columns = terminal.columns().orElse(Integer.MAX_VALUE);
    boolean isNarrow = columns - width - GAP < LEAST_VALUE;
    for (int i = 0; i < namesAndValues.length; i += 2) {
      String name = namesAndValues[i] + " ".repeat(width + GAP - namesAndValues[i].length());
      String line = styled(name, Style.bold) + Printable.line(namesAndValues[i + 1]);
      if (isNarrow && Wrapping.width(line) > columns) {
        line(styled(namesAndValues[i], Style.bold), "");
        wrapped(CONTINUATION, namesAndValues[i + 1]);
      } else {
        wrap(line, width + GAP);
      }
    }
  }

  /** Prints rows in columns that are as wide as they need to be. */
  void table(List<String> header, List<List<String>> rows) {
    styledTable(
        header, rows.stream().map(row -> row.stream().map(cell -> styled(cell)).toList()).toList());
  }

  /** Prints as {@link #table} does, with cells that may have colours. */
  void styledTable(List<String> header, List<List<Text>> rows) {
    Table table = new Table(header.stream().map(cell -> styled(cell, Style.bold)).toList(), rows);
    int columns = terminal.columns().orElse(Integer.MAX_VALUE);
    (table.width() <= columns ? table.inColumns(colours) : table.stacked(columns))
        .forEach(out::println);
    out.flush();
  }
}
