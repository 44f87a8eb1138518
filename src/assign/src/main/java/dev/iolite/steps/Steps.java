package dev.iolite.steps;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.Ioctl;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes steps one after another. Closing it undoes those that have an undo, in reverse order; each
 * undo is a step, too. All undos are tried, even if some fail.
 */
public final class Steps implements AutoCloseable {
  private final StepLog log;
  private final CloseStack undos = new CloseStack();

  /** Starts, with nothing to undo. */
  public Steps(StepLog log) {
    this.log = log;
  }

  /** The kernel to make the steps on: it records their calls. */
  public Kernel kernel() {
    return log.kernel();
  }

  /** Whether the work is to be stopped, for steps that wait. */
  public BooleanSupplier stop() {
    return log.stop();
  }

  /** From now on, also decodes the calls that this kernel has beyond the headers. */
  public void know(List<Ioctl> more) {
    log.know(more);
  }

  /**
   * Makes a step that yields something.
   *
   * @throws ScenarioException if a stop was requested here
   */
  public <T> T step(StepKind kind, Supplier<T> action, Function<T, String> outcome) {
    log.requireGoingOn(kind);
    return log.make(kind, action, outcome);
  }

  /**
   * Makes a step that yields something to be closed on the way back.
   *
   * @param undone the outcome of closing it, in words
   */
  public <T extends AutoCloseable> T open(
      StepKind kind, Supplier<T> action, Function<T, String> outcome, String undone) {
    CloseStack opened = new CloseStack();
    return step(
        kind,
        () -> {
          T result = opened.push(action.get());
          undo(kind, undone, opened::close);
          return result;
        },
        outcome);
  }

  /** Makes a step that only has to succeed. */
  public void step(StepKind kind, String outcome, Runnable action) {
    step(kind, supplier(outcome, action), Function.identity());
  }

  /** On the way back, undoes a step of a kind. */
  public void undo(StepKind kind, String outcome, Runnable action) {
    undos.onClose(() -> undoNow(kind, outcome, action));
  }

  /** Undoes, at once, a step of a kind that may have been made by somebody else. */
  public void undoNow(StepKind kind, String outcome, Runnable action) {
    log.undo(kind, supplier(outcome, action));
  }

  /** On the way back, makes a step that is not an undo, such as a check. */
  public void afterwards(StepKind kind, String outcome, Runnable action) {
    undos.onClose(() -> log.make(kind, supplier(outcome, action), Function.identity()));
  }

  /**
   * On the way back, does something that is not a step in its own right, such as keeping the books.
   */
  public void onClose(CloseStack.Undo undo) {
    undos.onClose(undo);
  }

  private static Supplier<String> supplier(String outcome, Runnable action) {
    return () -> {
      action.run();
      return outcome;
    };
  }

  @Override
  public void close() {
    undos.close();
  }
}
