package dev.iolite.steps;

import java.util.List;

/**
 * One step as it went.
 *
 * @param device which device it was made for
 * @param name what was done
 * @param succeeded whether it came out as it should
 * @param outcome what came of it, in a person's words
 * @param calls the system calls that it made, each with its argument and what came back
 * @param nanos how long it took, in nanoseconds
 */
public record Step(
    String device, String name, boolean succeeded, String outcome, List<String> calls, long nanos) {
  /** Copies the list of calls. */
  public Step {
    calls = List.copyOf(calls);
  }
}
