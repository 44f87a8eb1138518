package dev.iolite.tdi;

import dev.iolite.steps.Step;

/** Follows the progress of an assignment, in the thread that does the work. */
public interface AssignmentListener {
  /** A stage of the assignment's life begins. */
  default void stage(Stage stage) {}

  /** A step was made, or has failed. */
  default void step(Step step) {}

  /** The assignment has entered another state. */
  default void state(State state) {}

  /** Something worth mentioning, such as what this kernel cannot do. */
  default void remark(String text) {}

  /** A listener that ignores everything. */
  static AssignmentListener none() {
    return new AssignmentListener() {};
  }
}
