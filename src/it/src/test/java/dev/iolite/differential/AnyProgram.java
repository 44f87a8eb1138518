package dev.iolite.differential;

/** A file with programs that are to be run again, made of any text. */
public final class AnyProgram {
  private AnyProgram() {}

  /** Reads it; it may be refused. */
  public static void read(String text) {
    try {
      Program.parse(text.lines().toList());
    } catch (IllegalArgumentException _) {
      // Refused.
    }
  }
}
