package dev.iolite.steps;

/**
 * A kind of step, applied to something in particular.
 *
 * @param kind the kind
 * @param what what it is applied to
 */
record ParticularStep(StepKind kind, String what) implements StepKind {
  @Override
  public String name() {
    return kind.name();
  }

  @Override
  public StepWords words() {
    return kind.words().about(what);
  }
}
