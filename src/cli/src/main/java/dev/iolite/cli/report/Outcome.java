package dev.iolite.cli.report;

import java.util.List;

/**
 * How a run ended.
 *
 * @param code the exit code
 * @param problems what went wrong, in the words of the error messages; empty if nothing did
 */
public record Outcome(int code, List<String> problems) {
  /** Copies the list. */
  public Outcome {
    problems = List.copyOf(problems);
  }
}
