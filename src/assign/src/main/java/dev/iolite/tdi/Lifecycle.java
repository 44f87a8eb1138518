package dev.iolite.tdi;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.Transition.Failure;
import dev.iolite.tdi.bars.LearnedLayout;
import dev.iolite.tdi.bars.MappedBars;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.host.BoundInterface;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tdi.requests.Vmm;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Carries out the {@linkplain Transition transitions} of an assignment, event by event. */
final class Lifecycle implements Vmm {
  private final AssignmentOptions options;
  private final Ledger ledger = new Ledger();
  private final Progress progress;
  private final StepLog log;
  private final MappedBars bars;
  private final BoundInterface bound;
  private final Held held;

  Lifecycle(AssignmentOptions options) {
    progress = new Progress(options);
    this.options = options.withListener(progress);
    log = progress.log();
    bars = new MappedBars(log, progress, ledger);
    bound = new BoundInterface(log, this.options);
    held = new Held(this.options, log, progress, bars, bound);
  }

  StepLog log() {
    return log;
  }

  Ledger ledger() {
    return ledger;
  }

  @Override
  public State state() {
    return progress.state();
  }

  /** The device; empty while it is not assigned. */
  Optional<AssignedInterface> assigned() {
    return held.device();
  }

  @Override
  public AssignedInterface device() {
    return held.device()
        .orElseThrow(() -> new IllegalStateException(options.address() + " is not assigned"));
  }

  @Override
  public Optional<UapiProfile> usedProfile() {
    return held.device().map(AssignedInterface::profile);
  }

  @Override
  public Optional<MmioMaps> maps() {
    return bars.maps();
  }

  @Override
  public Optional<TdiBinding> binding() {
    return bound.binding();
  }

  @Override
  public Optional<byte[]> report() {
    return bound.report();
  }

  /**
   * Returns the row of an event.
   *
   * @throws PreconditionException if there is none for the state that the assignment is in
   */
  Transition allow(Event event) {
    Optional<Transition> row = Transition.of(state(), event);
    if (row.isEmpty()) {
      throw new PreconditionException(
          event.attempt() + " " + options.address(),
          "the assignment is " + state(),
          new Advice(
              "that is for an assignment that is "
                  + Transition.allowing(event).stream()
                      .map(State::toString)
                      .collect(Collectors.joining(" or ")),
              "look at the assignment",
              Remedy.SHOW_ASSIGNMENT,
              List.of(options.address().toString())));
    }
    if (state() == State.QUARANTINED && held.device().isEmpty() && event.needsDevice()) {
      throw new PreconditionException(
          event.attempt() + " " + options.address(),
          "all is closed, and the kernel still had the interface bound then, or could not say",
          new Advice(
              "the kernel could not unbind it, or sysfs could not be read",
              "dmesg has the TSM's reason",
              Remedy.RECOVER_BOUND,
              List.of(options.address().toString())));
    }
    return row.get();
  }

  @Override
  public void fire(Event event) {
    Optional<RuntimeException> kept = Optional.empty();
    for (Transition.Part part : allow(event).parts()) {
      try {
        part.moves().forEach(this::make);
        if (part.failure() != Failure.ASKS) {
          part.to().ifPresent(progress::become);
        }
        log.requireTold();
      } catch (RuntimeException | Error e) {
        failed(part, e);
        if (part.failure() != Failure.GOES_ON || !(e instanceof RuntimeException goesOn)) {
          throw e;
        }
        kept = Optional.of(goesOn);
        part.to().ifPresent(progress::become);
      }
    }
    if (kept.isPresent()) {
      throw kept.get();
    }
  }

  /** Makes the device measure itself. */
  byte[] measurements(byte[] nonce) {
    Transition row = allow(Event.MEASURE);
    try {
      return bound.measurements(nonce);
    } catch (TsmCallException e) {
      failed(row.parts().getFirst(), e);
      throw e;
    }
  }

  private void make(Move move) {
    switch (move) {
      case UNDO_REST, UNDO_ALL -> held.undo(State.UNASSIGNED);
      case UNDO_BIND -> held.undo(State.WITHDRAWN);
      case PREPARE -> held.prepare(ledger);
      case SHARE -> bars.share(device());
      case TAKE_BACK -> bars.close();
      case CHECK_LOCKABLE -> checkLockable();
      case WITHDRAW -> {
        progress.stage(Stage.WITHDRAW);
        bars.close();
        new Steps(log).step(TdiStep.CHECK_UNMAPPED, "it does not", device()::requireUnmapped);
      }
      case LOCK -> {
        progress.stage(Stage.BIND);
        bound.lock(device());
      }
      case SPLIT -> {
        progress.stage(Stage.LEARN);
        bars.split(device(), LearnedLayout.learn(new Steps(log), device(), options, bound));
      }
      case START -> {
        progress.stage(Stage.RUN);
        bound.start(device());
      }
      case PROVE -> {
        bars.close();
        bound.proveReleased(device());
      }
      case REPORT_REVOKED -> progress.stage(Stage.RECOVER);
      case REPORT_UNCLEAR -> tellUnclear();
      case ASK_WHETHER_FAILED -> {
        if (bound.hasFailed(device())) {
          fire(Event.REVOKED);
        }
      }
      case RETRY -> {
        if (bars.hasLeftover()) {
          fire(Event.REVOKED);
        }
      }
    }
  }

  private void checkLockable() {
    AssignedInterface device = device();
    device.requireCalls();
    new Steps(log).step(TdiStep.CHECK_LOCKABLE, "it can be", device::requireLockable);
  }

  private void tellUnclear() {
    if (bars.hasLeftover()) {
      progress.remark(
          "Not all of its BARs could be unmapped: that is tried again at whatever follows.");
    }
    progress.remark(
        "The state of the interface is not known: its BARs stay unmapped until it is proved"
            + " released.");
  }

  /** Does what a failure in a part leads to. Further failures are added to it as suppressed. */
  private void failed(Transition.Part part, Throwable failure) {
    switch (part.failure()) {
      case FALLS_BACK -> fallBack(failure);
      case RELEASES -> then(failure, Event.RELEASE);
      case MAY_BE_UNCLEAR -> {
        if (isUnclear(failure)
            || (failure instanceof TsmCallException e
                && e.operation() == TsmOperation.ENABLE_DMA)) {
          then(failure, Event.UNCLEAR);
        }
      }
      case LOOKS -> then(failure, Event.LOOK);
      case STAYS, GOES_ON, ASKS -> {}
    }
  }

  private static boolean isUnclear(Throwable failure) {
    return failure instanceof TsmCallException e && e.outcome() == Outcome.MAYBE_DONE;
  }

  /** Falls back to a state in which less is held. */
  private void fallBack(Throwable failure) {
    suppressed(failure, () -> held.undo(State.WITHDRAWN));
    if (isUnclear(failure) || bound.binding().isPresent()) {
      then(failure, Event.UNCLEAR);
    } else if (suppressed(failure, () -> bars.share(device()))) {
      progress.become(State.SHARED);
    } else {
      then(failure, Event.RELEASE);
    }
  }

  /** Fires another event because of a failure. */
  void then(Throwable failure, Event event) {
    suppressed(failure, () -> fire(event));
  }

  /** Runs the cleaning and returns whether it succeeded; its failure is added as suppressed. */
  private static boolean suppressed(Throwable failure, Runnable cleaning) {
    try {
      cleaning.run();
      return true;
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
      return false;
    }
  }
}
