package dev.iolite.steps;

import dev.iolite.trace.TracedCall;
import java.time.Duration;
import java.util.List;

/**
 * A step and its outcome.
 *
 * @param device which device it was made for
 * @param kind what kind of step it is
 * @param undo whether it is the undo of a step of that kind
 * @param name what was done, in words for people
 * @param succeeded whether it succeeded
 * @param outcome the outcome, in words for people
 * @param calls the system calls that it made, as far as they are traced
 * @param took how long it took
 */
public record Step(
    String device,
    StepKind kind,
    boolean undo,
    String name,
    boolean succeeded,
    String outcome,
    List<TracedCall> calls,
    Duration took) {
  /** Copies the list of calls. */
  public Step {
    calls = List.copyOf(calls);
  }
}
