package dev.iolite.passthrough;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes steps one after the other, and tells of each what calls it made and what came of it.
 * Closing undoes, in reverse, those that have an undo; each undo is a step too.
 */
final class Steps implements AutoCloseable {
  private final String device;
  private final Consumer<Step> listener;
  private final BooleanSupplier stop;
  private final Kernel kernel;

  /** A guest's deadline makes its calls from a thread of its own. */
  private final List<String> calls = new CopyOnWriteArrayList<>();

  private final CloseStack undos = new CloseStack();

  /**
   * Starts a scenario.
   *
   * @param device which device the steps are made for
   * @param kernel where they are made
   * @param listener is told of each step when it is done
   * @param stop is asked before each step whether to stop here; what was done is undone then
   */
  Steps(String device, Kernel kernel, Consumer<Step> listener, BooleanSupplier stop) {
    this.device = device;
    this.listener = listener;
    this.stop = stop;
    this.kernel =
        new TracingKernel(kernel, Scope.WITHOUT_LOOKING_AROUND, call -> calls.add(call.toString()));
  }

  /** The kernel to make the steps on: it writes down what they call. */
  Kernel kernel() {
    return kernel;
  }

  /** Makes a step that yields something. */
  <T> T step(String name, Supplier<T> action, Function<T, String> outcome) {
    if (stop.getAsBoolean()) {
      throw new ScenarioException("stopped before: " + name);
    }
    return make(name, action, outcome);
  }

  private <T> T make(String name, Supplier<T> action, Function<T, String> outcome) {
    calls.clear();
    try {
      T result = action.get();
      tell(name, true, outcome.apply(result));
      return result;
    } catch (RuntimeException e) {
      tell(name, false, String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private void tell(String name, boolean succeeded, String outcome) {
    listener.accept(new Step(device, name, succeeded, outcome, List.copyOf(calls)));
  }

  /**
   * Makes a step that yields something to be closed on the way back.
   *
   * @param undoName what closing it is called
   * @param undone what comes of closing it
   */
  <T extends AutoCloseable> T open(
      String name,
      Supplier<T> action,
      Function<T, String> outcome,
      String undoName,
      String undone) {
    CloseStack opened = new CloseStack();
    return step(
        name,
        () -> {
          T result = opened.push(action.get());
          undo(undoName, undone, opened::close);
          return result;
        },
        outcome);
  }

  /** Makes a step that only has to succeed. */
  void step(String name, String outcome, Runnable action) {
    step(
        name,
        () -> {
          action.run();
          return outcome;
        },
        Function.identity());
  }

  /** Makes a step on the way back. */
  void undo(String name, String outcome, Runnable action) {
    undos.onClose(() ->
        make(
            name,
            () -> {
              action.run();
              return outcome;
            },
            Function.identity()));
  }

  @Override
  public void close() {
    undos.close();
  }
}
