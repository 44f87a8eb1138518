package dev.iolite.cli;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import picocli.CommandLine.Help.Ansi;

/** Terminals for tests. */
final class Terminals {
  private Terminals() {}

  /** None at all. */
  static Terminal pipe() {
    return new Terminal(false, OptionalInt.empty(), StandardCharsets.UTF_8, Ansi.OFF);
  }

  /** A pipe whose reader sees colours. */
  static Terminal pipe(Ansi colours) {
    return new Terminal(false, OptionalInt.empty(), StandardCharsets.UTF_8, colours);
  }

  /** One without colours, so that tests see what is printed. */
  static Terminal of(int columns, Charset charset) {
    return new Terminal(true, OptionalInt.of(columns), charset, Ansi.OFF);
  }
}
