package dev.iolite.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes texts fit to be printed. What files, sysfs, devices, journals and other processes say may
 * have characters that a terminal obeys or that change how what follows is read: control characters
 * (C0, DEL, C1), and those of Unicode that format text, such as the overrides of its direction.
 * Each of them is replaced by its number, such as {@code \x1b} for ESC.
 */
final class Printable {
  private static final int SMALL = 0x100;

  /**
   * What {@link Output} itself uses, and picocli in usage messages: bold, colours, and their ends.
   */
  private static final Pattern COLOUR = Pattern.compile("\u001b\\[(0|1|2[1249]?|3|4|3[0-79])m");

  private Printable() {}

  /** A text for one line; an end of line becomes its number, too. */
  static String line(String text) {
    return of(text, "", "\\x%02x");
  }

  /** A text that was laid out already, in several lines. */
  static String lines(String text) {
    return of(text, "\n", "\\x%02x");
  }

  /**
   * A text that was laid out by another {@link Output}, with several lines and perhaps colours.
   *
   * @param isColoured whether colours stay
   */
  static String laidOut(String text, boolean isColoured) {
    if (!isColoured) {
      return lines(text);
    }
    StringBuilder all = new StringBuilder();
    Matcher colour = COLOUR.matcher(text);
    int from = 0;
    while (colour.find()) {
      all.append(lines(text.substring(from, colour.start()))).append(colour.group());
      from = colour.end();
    }
    return all.append(lines(text.substring(from))).toString();
  }

  /** A JSON text; what is escaped here is inside its strings, and stays what it was to a reader. */
  static String json(String text) {
    return of(text, "\n", "\\u%04x");
  }

  private static String of(String text, String kept, String small) {
    if (text.codePoints().noneMatch(Printable::isObeyed)) {
      return text;
    }
    StringBuilder all = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          if (!isObeyed(c) || kept.indexOf(c) >= 0) {
            all.appendCodePoint(c);
          } else if (c < SMALL) {
            all.append(small.formatted(c));
          } else {
            for (char unit : Character.toChars(c)) {
              all.append("\\u%04x".formatted((int) unit));
            }
          }
        });
    return all.toString();
  }

  /** Whether it is more than a mark on the screen. */
  private static boolean isObeyed(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
