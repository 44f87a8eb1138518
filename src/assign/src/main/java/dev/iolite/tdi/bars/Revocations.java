package dev.iolite.tdi.bars;

import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.vfio.HotResetInfo;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Operations on a device at which the kernel revokes its dma-bufs. Each reports whether it was
 * done: a device or a kernel may not support it.
 */
public final class Revocations {
  private final StepLog log;

  public Revocations(StepLog log) {
    this.log = log;
  }

  public boolean reset(AssignedInterface device) {
    return new Steps(log)
        .step(
            TdiStep.RESET,
            () -> keepingCommand(device, device.vfio()::reset),
            reset -> reset ? "it was reset" : "it has no reset");
  }

  /** The functions that a hot reset would reset, which are all ours; empty if there is none. */
  public static Optional<HotResetInfo> hotResetSet(AssignedInterface device) {
    Optional<HotResetInfo> set = device.vfio().hotResetInfo();
    set.ifPresent(info -> info.requireAllOwned(device.pci().address().toString()));
    return set;
  }

  public boolean hotReset(AssignedInterface device, HotResetInfo set) {
    return new Steps(log)
        .step(
            TdiStep.HOT_RESET,
            () ->
                keepingCommand(
                    device,
                    () -> {
                      device.vfio().hotReset();
                      return true;
                    }),
            _ -> "reset with " + set.devices().size() + " function(s)");
  }

  private static boolean keepingCommand(AssignedInterface device, BooleanSupplier reset) {
    int command = device.vfio().config().command();
    boolean done = reset.getAsBoolean();
    device.setCommand(command);
    return done;
  }

  public boolean sleep(AssignedInterface device) {
    return new Steps(log)
        .step(
            TdiStep.SLEEP,
            () -> {
              boolean sleeps = device.reach().isAsleep() || device.vfio().lowPower().enter();
              device.reach().setAsleep(sleeps);
              return sleeps;
            },
            sleeps -> sleeps ? "it may" : "it has no such feature");
  }

  /** Wakes the device; returns whether it was asleep, and is awake now. */
  public boolean wake(AssignedInterface device) {
    if (!device.reach().isAsleep()) {
      return false;
    }
    new Steps(log).step(TdiStep.WAKE, "it does", () -> device.vfio().lowPower().leave());
    device.reach().setAsleep(false);
    return true;
  }
}
