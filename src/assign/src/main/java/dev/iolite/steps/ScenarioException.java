package dev.iolite.steps;

/** The calls succeeded, but the device or the guest did not do what it should have done. */
public final class ScenarioException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what was expected and what was found. */
  public ScenarioException(String message) {
    super(message);
  }
}
