package dev.iolite.cli.drawing;

/** Text in XML files. */
public final class Xml {
  private static final String NO_CHARACTERS =
      "[^\\t\\n\\x20-\\x7E\\x{A0}-\\uD7FF\\uE000-\\uFFFD\\x{10000}-\\x{10FFFF}]";

  private Xml() {}

  /**
   * Escapes text for a file's content or an attribute. What XML can't hold becomes a question mark.
   */
  public static String escaped(String text) {
    return text.replaceAll(NO_CHARACTERS, "?")
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
