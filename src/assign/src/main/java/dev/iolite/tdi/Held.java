package dev.iolite.tdi;

import dev.iolite.kernel.CloseStack;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.StepKind;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.bars.MappedBars;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.host.BoundInterface;
import dev.iolite.tdi.host.Preparation;
import dev.iolite.tdi.ledger.Ledger;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Everything that an assignment holds: the host's side, the mapped BARs and the binding. {@link
 * #undo} is the only way to give any of it back. Whatever an undo could not give back, the next one
 * tries again.
 */
final class Held {
  private final AssignmentOptions options;
  private final StepLog log;
  private final Progress progress;
  private final MappedBars bars;
  private final BoundInterface bound;
  private Optional<Holdings> before = Optional.empty();
  private Optional<AssignedInterface> device = Optional.empty();
  private Optional<Steps> host = Optional.empty();

  /** The host's side of an assignment that has ended, if part of it could not be undone. */
  private Optional<Steps> rest = Optional.empty();

  Held(
      AssignmentOptions options,
      StepLog log,
      Progress progress,
      MappedBars bars,
      BoundInterface bound) {
    this.options = options;
    this.log = log;
    this.progress = progress;
    this.bars = bars;
    this.bound = bound;
  }

  /** The device, from the time it is ready until everything is given back. */
  Optional<AssignedInterface> device() {
    return device;
  }

  /** Prepares the host and the guest. */
  void prepare(Ledger ledger) {
    before = Optional.of(now());
    var journal = progress.begin(options.journal().get());
    Steps steps = new Steps(log);
    host = Optional.of(steps);
    progress.stage(Stage.PREPARE);
    device = Optional.of(Preparation.make(steps, options, journal, ledger));
  }

  private Holdings now() {
    return Holdings.of(options.kernel(), options.address());
  }

  /**
   * Gives back what is held beyond a state: for {@link State#WITHDRAWN} the binding and the BARs,
   * for {@link State#UNASSIGNED} everything, with a check that nothing is left. All of it is tried
   * even if a part fails; then the first failure is thrown.
   */
  void undo(State to) {
    if (to == State.WITHDRAWN) {
      device.ifPresent(d -> bound.release(d, progress.state(), bars::close));
    } else if (host.isEmpty()) {
      undoRest();
    } else {
      Steps ofHost = host.get();
      try (CloseStack all = new CloseStack()) {
        all.onClose(this::finish);
        all.onClose(() -> {
          progress.stage(Stage.RELEASE);
          ofHost.close();
        });
        all.onClose(() -> undo(State.WITHDRAWN));
      }
    }
  }

  private void undoRest() {
    try (CloseStack again = new CloseStack()) {
      rest.ifPresent(again::push);
      again.onClose(bars::close);
    }
    rest = Optional.empty();
  }

  /** Asks the kernel what is left once all descriptors are closed. */
  private void finish() {
    rest = host;
    host = Optional.empty();
    bound.forget();
    try {
      becomeWhatTheKernelSays();
      afterwards(TdiStep.CHECK_NOTHING_HELD, "all is as before", this::requireAsBefore);
      rest = Optional.empty();
      progress.finished();
    } finally {
      progress.end();
    }
  }

  /**
   * Becomes unassigned if the kernel says that the interface is released, and quarantined
   * otherwise.
   */
  private void becomeWhatTheKernelSays() {
    Optional<AssignedInterface> last = device.filter(AssignedInterface::binds);
    device = Optional.empty();
    AtomicBoolean isReleased = new AtomicBoolean(last.isEmpty());
    try {
      last.ifPresent(released ->
          afterwards(
              TdiStep.ASK_WHETHER_BOUND,
              "it has answered",
              () -> isReleased.set(!released.isBoundInKernel())));
    } finally {
      progress.become(isReleased.get() ? State.UNASSIGNED : State.QUARANTINED);
    }
  }

  /** Makes a step even if a stop was requested, as for an undo. */
  private void afterwards(StepKind kind, String outcome, Runnable action) {
    try (Steps back = new Steps(log)) {
      back.afterwards(kind, outcome, action);
    }
  }

  /**
   * Checks that everything is as before. First tries again whatever could not be taken back
   * earlier, since the descriptors are closed now.
   */
  private void requireAsBefore() {
    Holdings was = before.orElseThrow();
    if (bars.hasLeftover() || !now().equals(was)) {
      undoRest();
      now().requireSame(was);
    }
  }
}
