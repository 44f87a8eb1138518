package dev.iolite.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes texts safe to print. Texts from files, sysfs, devices, journals and other processes may
 * contain characters that a terminal obeys or that change how the text after them is read: control
 * characters (C0, DEL, C1), and Unicode's format characters, such as direction overrides. Each of
 * them is replaced by its number, such as {@code \x1b} for ESC.
 */
public final class Printable {
  private static final int SMALL = 0x100;

  /**
   * The sequences that {@link Output} uses, and picocli in usage messages: bold, colours, and their
   * ends.
   */
  private static final Pattern COLOUR = Pattern.compile("\u001b\\[(0|1|2[1249]?|3|4|3[0-79])m");

  private Printable() {}

  /** A text for one line; an end of line is also replaced by its number. */
  public static String line(String text) {
    return of(text, "", "\\x%02x");
  }

  /** A text that is already laid out, in several lines. */
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

  /** A JSON text; what is escaped here is inside its strings, so a reader gets the same values. */
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

  /** Whether a terminal obeys it, rather than just showing it. */
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
