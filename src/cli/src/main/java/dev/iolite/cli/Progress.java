package dev.iolite.cli;

import java.io.PrintWriter;

/**
 * A line on a terminal that says what is being done, until something is printed. There is none in a
 * pipe, nor on a terminal without colours or width: it may not obey what clears the line.
 */
final class Progress {
  private static final String CLEARED = "\r\u001b[K";

  private final PrintWriter out;
  private final int columns;
  private boolean isVisible;

  Progress(PrintWriter out, Terminal terminal) {
    this.out = out;
    columns =
        terminal.isTerminal() && terminal.colours().enabled() ? terminal.columns().orElse(0) : 0;
  }

  /** Shows a text instead of the one before, cut to the terminal's width. */
  void show(String text) {
    if (columns > 0) {
      String line = Printable.line(text);
      out.print(CLEARED + line.substring(0, Math.min(line.length(), columns - 1)));
      out.flush();
      isVisible = true;
    }
  }

  /** Clears the line. */
  void clear() {
    if (isVisible) {
      out.print(CLEARED);
      out.flush();
      isVisible = false;
    }
  }
}
