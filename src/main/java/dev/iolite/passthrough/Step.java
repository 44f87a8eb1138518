package dev.iolite.passthrough;

import java.util.List;

/**
 * One step of a scenario as it went.
 *
 * @param device which device it was made for
 * @param name what was done
 * @param succeeded whether it came out as it should
 * @param outcome what came of it, in a person's words
 * @param calls the system calls that it made, each with its argument and what came back
 */
public record Step(
    String device, String name, boolean succeeded, String outcome, List<String> calls) {
  /** Copies the list of calls. */
  public Step {
    calls = List.copyOf(calls);
  }
}
