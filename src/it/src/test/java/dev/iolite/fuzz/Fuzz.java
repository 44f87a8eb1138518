package dev.iolite.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What Jazzer calls; the property {@code iolite.fuzz} names the parser. */
public final class Fuzz {
  private static final Parser PARSER =
      Parser.valueOf(System.getProperty("iolite.fuzz").toUpperCase(Locale.ROOT));

  private Fuzz() {}

  /**
   * Reads the corpus, so that classes are loaded, and changed by Jazzer, before it begins to limit
   * the time of each input. Jazzer finds this method by its name.
   */
  public static void fuzzerInitialize() throws IOException {
    for (Path file : PARSER.corpus()) {
      PARSER.read(Files.readAllBytes(file));
    }
  }

  /** Reads one input. Jazzer finds this method by its name. */
  public static void fuzzerTestOneInput(byte[] input) {
    PARSER.read(input);
  }
}
