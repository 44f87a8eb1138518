package dev.iolite.steps;

import java.util.Optional;

/**
 * The description of a step for people.
 *
 * @param forward what is done
 * @param undo what undoes it; empty if nothing does
 */
public record StepWords(String forward, Optional<String> undo) {
  /** These words, with what the step is applied to filled in. */
  StepWords about(String what) {
    return new StepWords(forward.formatted(what), undo.map(words -> words.formatted(what)));
  }
}
