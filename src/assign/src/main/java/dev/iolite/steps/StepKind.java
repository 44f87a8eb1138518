package dev.iolite.steps;

/**
 * What a step does. Each scenario has an enum of its kinds: their {@link #name} is for programs;
 * their words are for people and may change.
 */
public interface StepKind {
  /** The kind's own name, for example {@code OPEN_DMA_BUF}: the name of the enum's constant. */
  String name();

  /** Its description for people, with {@code %s} in place of what the step is applied to. */
  StepWords words();

  /** The kind itself, without what it is applied to. */
  default StepKind kind() {
    return this;
  }

  /** This kind, applied to something in particular. */
  default StepKind on(String what) {
    return new ParticularStep(this, what);
  }
}
