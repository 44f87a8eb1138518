package dev.iolite.tdi;

import dev.iolite.steps.Step;
import dev.iolite.tdi.journal.Journal;

/** The progress of an assignment. Reports what happens to its listener and its journal. */
final class Progress {
  private final AssignmentListener listener;
  private State state = State.UNASSIGNED;
  private Journal journal = Journal.none();

  Progress(AssignmentListener listener) {
    this.listener = listener;
  }

  /** Begins to write everything to a journal. */
  Journal begin(Journal begun) {
    journal = begun;
    return begun;
  }

  /** Ends the journal. It stays on disk unless everything was given back. */
  void end() {
    Journal written = journal;
    journal = Journal.none();
    written.close();
  }

  /** Deletes the journal, because nothing is held any longer. */
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
