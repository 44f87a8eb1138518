package dev.iolite.cli;

import java.io.BufferedReader;
import java.io.Reader;

/**
 * Standard input, or what takes its place.
 *
 * @param reader its lines
 * @param isTerminal whether a person types them
 */
public record Input(BufferedReader reader, boolean isTerminal) {
  /** Empty input. */
  static Input none() {
    return new Input(new BufferedReader(Reader.nullReader()), false);
  }
}
