package dev.iolite.tdi;

import dev.iolite.steps.Step;
import dev.iolite.steps.StepLog;
import dev.iolite.tdi.journal.Journal;

/**
 * The progress of an assignment. Reports to the listener and the journal what happens. Nothing that
 * was done fails because one of these fails: {@link StepLog#tell} keeps that failure for later.
 */
final class Progress implements AssignmentListener {
  private final AssignmentListener listener;
  private final StepLog log;
  private State state = State.UNASSIGNED;
  private Journal journal = Journal.none();

  Progress(AssignmentOptions options) {
    listener = options.listener();
    String name = options.address().toString();
    log =
        options.isTraced()
            ? StepLog.tracing(name, options.kernel(), this::step, options.stop())
            : StepLog.brief(name, options.kernel(), this::step, options.stop());
  }

  /** Where the steps are made. */
  StepLog log() {
    return log;
  }

  /** Starts writing everything to a journal. */
  Journal begin(Journal begun) {
    journal = begun;
    return begun;
  }

  /** Closes the journal. It stays on disk unless everything was given back. */
  void end() {
    Journal written = journal;
    journal = Journal.none();
    log.tell(written::close);
  }

  /** Deletes the journal, because nothing is held any longer. */
  void finished() {
    log.tell(journal::finished);
  }

  State state() {
    return state;
  }

  void become(State next) {
    state = next;
    state(next);
  }

  @Override
  public void state(State next) {
    log.tell(() -> journal.state(next));
    log.tell(() -> listener.state(next));
  }

  @Override
  public void step(Step step) {
    log.tell(() -> journal.step(step));
    log.tell(() -> listener.step(step));
  }

  @Override
  public void stage(Stage stage) {
    log.tell(() -> listener.stage(stage));
  }

  @Override
  public void remark(String text) {
    log.tell(() -> listener.remark(text));
  }
}
