package dev.iolite.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Breaks text into lines that fit a width: between words, but not between a number and its unit or
 * between a name and its count, and within a word only if the word is longer than a line. Colour
 * sequences take up no width.
 */
final class Wrapping {
  private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");
  private static final Pattern UNIT =
      Pattern.compile("(?<=\\d )([KMGTPE]iB|bytes|ms|us)\\b|(?<= )x\\d+\\b");

  private Wrapping() {}

  /**
   * Breaks a text; keeps its line breaks.
   *
   * @param columns the maximum width of a line
   * @param hang the indentation of the lines after the first
   */
  static String of(String text, int columns, int hang) {
    List<String> lines = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      add(lines, line, columns, hang);
    }
    return String.join("\n", lines);
  }

  private static void add(List<String> lines, String line, int columns, int hang) {
    String margin = "";
    String rest = line;
    while (margin.length() + width(rest) > columns) {
      int end = end(rest, columns - margin.length());
      lines.add(margin + rest.substring(0, end).stripTrailing());
      rest = rest.substring(end).stripLeading();
      margin = " ".repeat(hang);
    }
    lines.add(margin + rest);
  }

  /** The width of a text, in columns. */
  static int width(String text) {
    String plain = COLOUR.matcher(text).replaceAll("");
    return plain.codePointCount(0, plain.length());
  }

  /** Where a text that is too long for its line is broken. */
  private static int end(String text, int room) {
    Matcher colour = COLOUR.matcher(text);
    Matcher unit = UNIT.matcher(text).useTransparentBounds(true);
    boolean hasWord = false;
    int space = 0;
    int used = 0;
    int at = 0;
    while (at < text.length()) {
      if (colour.region(at, text.length()).lookingAt()) {
        at = colour.end();
        continue;
      }
      boolean isSpace = text.charAt(at) == ' ';
      if (isSpace && hasWord && !unit.region(at + 1, text.length()).lookingAt()) {
        space = at;
      }
      if (used >= room && at > 0) {
        return space > 0 ? space : at;
      }
      hasWord |= !isSpace;
      at += Character.charCount(text.codePointAt(at));
      used++;
    }
    return at;
  }
}
