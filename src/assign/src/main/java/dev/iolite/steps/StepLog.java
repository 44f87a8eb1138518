package dev.iolite.steps;

import dev.iolite.kernel.Kernel;
import dev.iolite.trace.TracedCall;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Reports the steps that are made for a device, each with the calls that it made.
 *
 * <p>A step that was made does not fail because it could not be reported, and an undo is not
 * repeated for that reason. Such a failure is thrown before the next step forward, or by {@link
 * #requireTold}.
 */
public final class StepLog {
  private final String device;
  private final Consumer<Step> listener;
  private final BooleanSupplier stop;
  private final Kernel kernel;

  /** A guest's deadline makes its calls from a separate thread. */
  private final List<TracedCall> calls = new CopyOnWriteArrayList<>();

  private volatile Ioctls ioctls = Ioctls.ofHeaders();

  /** Why something could not be reported: a RuntimeException or an Error. */
  private Optional<Throwable> untold = Optional.empty();

  private StepLog(
      String device,
      Kernel kernel,
      Consumer<Step> listener,
      BooleanSupplier stop,
      boolean withCalls) {
    this.device = device;
    this.listener = listener;
    this.stop = stop;
    this.kernel =
        withCalls
            ? new TracingKernel(kernel, Scope.WITHOUT_LOOKING_AROUND, this::ioctls, calls::add)
            : kernel;
  }

  /**
   * Reports steps with their calls.
   *
   * @param device which device the steps are made for
   * @param kernel where they are made
   * @param listener receives each step when it is done
   * @param stop asked before each step forward whether to stop there
   */
  public static StepLog tracing(
      String device, Kernel kernel, Consumer<Step> listener, BooleanSupplier stop) {
    return new StepLog(device, kernel, listener, stop, true);
  }

  /** Reports steps without their calls; tracing these costs more than the calls themselves. */
  public static StepLog brief(
      String device, Kernel kernel, Consumer<Step> listener, BooleanSupplier stop) {
    return new StepLog(device, kernel, listener, stop, false);
  }

  /** The kernel to make the steps on: it records their calls. */
  public Kernel kernel() {
    return kernel;
  }

  private Ioctls ioctls() {
    return ioctls;
  }

  /** From now on, also decodes the calls that this kernel has beyond the headers. */
  public void know(List<Ioctl> more) {
    ioctls = Ioctls.ofHeaders().with(more);
  }

  /** Whether to stop. */
  BooleanSupplier stop() {
    return stop;
  }

  /** Which device the steps are made for. */
  public String device() {
    return device;
  }

  /**
   * Reports what was done. A failure to do so is kept, with later ones added to it as suppressed.
   */
  public void tell(Runnable telling) {
    try {
      telling.run();
    } catch (RuntimeException | Error e) {
      if (untold.isEmpty()) {
        untold = Optional.of(e);
      } else if (!untold.get().equals(e)) {
        untold.get().addSuppressed(e);
      }
    }
  }

  /** Throws the failure that was kept, if there is one. */
  public void requireTold() {
    Optional<Throwable> failure = untold;
    untold = Optional.empty();
    switch (failure.orElse(null)) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
  }

  void requireGoingOn(StepKind next) {
    requireTold();
    if (stop.getAsBoolean()) {
      throw new ScenarioException("stopped before: " + next.words().forward());
    }
  }

  /** Makes a step of a kind. */
  <T> T make(StepKind kind, Supplier<T> action, Function<T, String> outcome) {
    return make(new Told(kind, false, kind.words().forward()), action, outcome);
  }

  /** Makes the undo of a step of a kind. */
  void undo(StepKind kind, Supplier<String> action) {
    String name =
        kind.words()
            .undo()
            .orElseThrow(() -> new IllegalArgumentException(kind.name() + " has no undo"));
    make(new Told(kind, true, name), action, Function.identity());
  }

  /** How a step is reported. */
  private record Told(StepKind kind, boolean isUndo, String name) {}

  private <T> T make(Told told, Supplier<T> action, Function<T, String> outcome) {
    calls.clear();
    long start = System.nanoTime();
    T result;
    String text;
    try {
      result = action.get();
      text = outcome.apply(result);
    } catch (RuntimeException e) {
      tell(told, false, String.valueOf(e.getMessage()), start);
      throw e;
    }
    tell(told, true, text, start);
    return result;
  }

  private void tell(Told told, boolean succeeded, String outcome, long start) {
    Step step =
        new Step(
            device,
            told.kind.kind(),
            told.isUndo,
            told.name,
            succeeded,
            outcome,
            List.copyOf(calls),
            Duration.ofNanos(System.nanoTime() - start));
    tell(() -> listener.accept(step));
  }
}
