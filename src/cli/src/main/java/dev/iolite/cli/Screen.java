package dev.iolite.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.OptionalInt;

/**
 * A terminal's second screen, on which a text replaces the one before. Each line is written over
 * the old one and only what is left of that is cleared, all in one write, so nothing flickers.
 * Closing it makes the terminal as it was.
 */
final class Screen implements AutoCloseable {
  private static final String BEGIN = "\u001b[?1049h\u001b[?25l";
  private static final String END = "\u001b[?25h\u001b[?1049l";
  private static final String HOME = "\u001b[H";
  private static final String CLEAR_LINE = "\u001b[K";
  private static final String CLEAR_BELOW = "\u001b[J";

  private final PrintWriter out;

  /** Switches to it. */
  Screen(PrintWriter out) {
    this.out = out;
    write(BEGIN);
  }

  /**
   * Shows a text that is laid out for the terminal.
   *
   * @param rows the height of the terminal; lines below are not shown
   */
  void show(String text, OptionalInt rows) {
    List<String> lines = text.lines().limit(rows.orElse(Integer.MAX_VALUE)).toList();
    write(HOME + String.join(CLEAR_LINE + "\r\n", lines) + CLEAR_LINE + CLEAR_BELOW);
  }

  private void write(String text) {
    out.print(text);
    out.flush();
  }

  @Override
  public void close() {
    write(END);
  }
}
