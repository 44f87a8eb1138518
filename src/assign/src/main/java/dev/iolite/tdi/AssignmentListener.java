package dev.iolite.tdi;

import dev.iolite.steps.Step;

/** Follows the progress of an assignment, in the thread that does the work. */
public interface AssignmentListener {
  /** A part of its life begins. */
  default void stage(Stage stage) {}

  /** A step was made, or has failed. */
  default void step(Step step) {}

  /** It stands elsewhere now. */
  default void state(State state) {}

  /** Something that is worth saying, such as what this kernel can't do. */
  default void remark(String text) {}

  /** Nobody listens. */
  static AssignmentListener none() {
    return new AssignmentListener() {};
  }
}
