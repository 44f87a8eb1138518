package dev.iolite.tdi;

import dev.iolite.steps.Step;
import dev.iolite.tdi.journal.Journal;

/** Where an assignment stands; its listener and its journal are told of what happens. */
final class Progress {
  private final AssignmentListener listener;
  private State state = State.UNASSIGNED;
  private Journal journal = Journal.none();

  Progress(AssignmentListener listener) {
    this.listener = listener;
  }

  /** Writes all that follows to a journal. */
  Journal begin(Journal begun) {
    journal = begun;
    return begun;
  }

  /** Ends the journal, which stays on disk unless all was given back. */
  void end() {
    Journal written = journal;
    journal = Journal.none();
    written.close();
  }

  /** Deletes the journal: nothing is held any more. */
  void finished() {
    journal.finished();
  }

  State state() {
    return state;
  }

  void become(State next) {
    state = next;
    journal.state(next);
    listener.state(next);
  }

  void step(Step step) {
    journal.step(step);
    listener.step(step);
  }

  void stage(Stage stage) {
    listener.stage(stage);
  }

  void remark(String text) {
    listener.remark(text);
  }
}
