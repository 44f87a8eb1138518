package dev.iolite.steps;

/**
 * What a step does. Each scenario has an enum of its kinds: their {@link #name} is for programs;
 * their words are for people and may change.
 */
public interface StepKind {
  /** The kind's own name, for example {@code OPEN_DMA_BUF}: that of the enum's constant. */
  String name();

  /** Its description for people, with {@code %s} where the step says what it is done to. */
  StepWords words();

  /** The kind itself, of one that is done to something in particular. */
  default StepKind kind() {
    return this;
  }

  /** This, done to something in particular. */
  default StepKind on(String what) {
    return new ParticularStep(this, what);
  }
}
