package dev.iolite.fuzz;

/** What Jazzer calls; the property {@code iolite.fuzz} names the parser. */
public final class Fuzz {
  private static final Parser PARSER = Parser.valueOf(System.getProperty("iolite.fuzz"));

  private Fuzz() {}

  /** Reads one input. Jazzer finds this method by its name. */
  public static void fuzzerTestOneInput(byte[] input) {
    PARSER.read(input);
  }
}
