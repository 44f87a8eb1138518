package dev.iolite.tdi.host;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tsm.TdiState;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The binding of a device's interface, from the lock to the release, with the report that it gave.
 */
public final class BoundInterface {
  /** What a request for the report returns if the interface is not locked, or no longer bound. */
  private static final Set<Errno> NOT_LOCKED =
      EnumSet.of(Errno.EIO, Errno.ENXIO, Errno.ENOENT, Errno.ENODEV);

  private final StepLog log;
  private final AssignmentOptions options;
  private Optional<TdiBinding> binding = Optional.empty();
  private Optional<byte[]> report = Optional.empty();
  private boolean isStopped;
  private boolean hasDma;

  /** Whether this kernel has a tsm/bound file that tells whether an interface is bound. */
  private boolean tellsOfBinding;

  public BoundInterface(StepLog log, AssignmentOptions options) {
    this.log = log;
    this.options = options;
  }

  /** The binding; empty if there is none, and the interface is certainly not bound by us. */
  public Optional<TdiBinding> binding() {
    return binding;
  }

  /** The report, where the kernel lets a VMM read it. */
  public Optional<byte[]> report() {
    return report;
  }

  /** Step 3: binds and locks it. */
  public void lock(AssignedInterface device) {
    isStopped = false;
    Steps steps = new Steps(log);
    TdiBinding bound =
        steps.step(
            TdiStep.BIND,
            () -> {
              TdiBinding made = device.profile().bind(device.target().orElseThrow());
              binding = Optional.of(made);
              tellsOfBinding = device.isBoundInKernel();
              return made;
            },
            made -> made.isLockedByBind() ? "bound and locked" : "bound");
    if (!bound.isLockedByBind()) {
      steps.step(TdiStep.LOCK, "locked", () -> bound.setState(TdiState.CONFIG_LOCKED));
    }
  }

  /** Reads the report, where the kernel lets a VMM read it. */
  public Optional<byte[]> readReport(AssignedInterface device) {
    if (device.profile().operations().contains(TsmOperation.READ_REPORT)) {
      report =
          Optional.of(
              new Steps(log)
                  .step(
                      TdiStep.READ_REPORT,
                      () -> binding.orElseThrow().report(),
                      bytes -> bytes.length + " bytes"));
    }
    return report;
  }

  /** Makes the device measure itself. */
  public byte[] measurements(byte[] nonce) {
    return new Steps(log)
        .step(
            TdiStep.READ_MEASUREMENTS,
            () -> binding.orElseThrow().measurements(nonce),
            bytes -> bytes.length + " bytes");
  }

  /** Lets the guest use it. */
  public void start(AssignedInterface device) {
    Steps steps = new Steps(log);
    TdiBinding bound = binding.orElseThrow();
    steps.step(TdiStep.START, "it runs", () -> bound.setState(TdiState.RUN));
    if (device.profile().operations().contains(TsmOperation.ENABLE_DMA)) {
      steps.step(TdiStep.ENABLE_DMA, "on", bound::enableDma);
      hasDma = true;
    }
  }

  /**
   * Stops it, has its BARs taken back, and unbinds it. All of that is tried, even if a part fails.
   * If it is not bound, only the BARs are taken back.
   *
   * @param state the state of the assignment, which says what needs to be stopped
   * @param takeBack takes the BARs back
   */
  public void release(AssignedInterface device, State state, CloseStack.Undo takeBack) {
    if (binding.isEmpty()) {
      takeBack.run();
      return;
    }
    options.listener().stage(Stage.UNBIND);
    TdiBinding bound = binding.get();
    try (Steps back = new Steps(log)) {
      back.undo(TdiStep.BIND, "unbound", () -> close(bound));
      back.onClose(takeBack);
      boolean isLocked = state == State.RUNNING || state == State.ERROR || state == State.SPLIT;
      if (isLocked && !isStopped) {
        back.afterwards(TdiStep.STOP, "unlocked", () -> stop(device, bound));
      }
      if (state == State.RUNNING && hasDma) {
        back.undo(TdiStep.ENABLE_DMA, "off", () -> disableDma(device, bound));
      }
    }
  }

  /**
   * Stops it, and only once if that succeeds: after a failure of something else, the release is
   * tried again.
   */
  private void stop(AssignedInterface device, TdiBinding bound) {
    ifBound(device, () -> bound.setState(TdiState.CONFIG_UNLOCKED));
    isStopped = true;
  }

  private void disableDma(AssignedInterface device, TdiBinding bound) {
    ifBound(device, bound::disableDma);
    hasDma = false;
  }

  /**
   * Makes a call that may fail because the TSM was disconnected behind our back, which unbinds the
   * interface.
   */
  private void ifBound(AssignedInterface device, Runnable call) {
    try {
      call.run();
    } catch (TsmCallException e) {
      if (e.outcome() != Outcome.NOT_DONE || device.isBoundInKernel()) {
        throw e;
      }
      options.listener().remark("The interface is not bound any more: the TSM was disconnected.");
    }
  }

  /** Unbinds what may still be bound, and proves with the kernel that it is not. */
  public void proveReleased(AssignedInterface device) {
    options.listener().stage(Stage.UNBIND);
    Steps steps = new Steps(log);
    binding.ifPresent(bound -> steps.undoNow(TdiStep.BIND, "unbound", () -> close(bound)));
    steps.step(TdiStep.CHECK_RELEASED, "it is not", device::requireReleased);
  }

  private void close(TdiBinding bound) {
    try {
      bound.close();
    } finally {
      if (bound.isReleased()) {
        forget();
      }
    }
  }

  /** Forgets the binding: the descriptors that it depended on are closed. */
  public void forget() {
    binding = Optional.empty();
    report = Optional.empty();
    hasDma = false;
  }

  /**
   * Asks the kernel whether it is no longer bound and locked, though nobody here unbound it; false
   * if the kernel has no way to tell.
   */
  public boolean hasFailed(AssignedInterface device) {
    if (tellsOfBinding && !device.isBoundInKernel()) {
      return true;
    }
    if (!device.profile().operations().contains(TsmOperation.READ_REPORT)) {
      return false;
    }
    try {
      binding.orElseThrow().report();
      return false;
    } catch (TsmCallException e) {
      return NOT_LOCKED.contains(e.kernel().errno());
    }
  }
}
