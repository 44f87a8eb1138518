package dev.iolite.steps;

import dev.iolite.trace.TracedCall;
import java.time.Duration;
import java.util.List;

/**
 * One step as it went.
 *
 * @param device which device it was made for
 * @param kind what kind of step it is
 * @param undo whether it is the undo of one of that kind
 * @param name what was done, in a person's words
 * @param succeeded whether it came out as it should
 * @param outcome what came of it, in a person's words
 * @param calls the system calls that it made, as far as they are told of
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
