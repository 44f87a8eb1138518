package dev.iolite.steps;

import java.util.Optional;

/**
 * How a person is told of a step.
 *
 * @param forward what is done
 * @param undo what takes it back; empty if nothing does
 */
public record StepWords(String forward, Optional<String> undo) {
  /** With what the step is done to put in. */
  StepWords about(String what) {
    return new StepWords(forward.formatted(what), undo.map(words -> words.formatted(what)));
  }
}
