package dev.iolite.tdi.bars;

import dev.iolite.iommufd.IovaRanges;
import dev.iolite.kernel.Page;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.SlotPlan;
import java.util.Map;
import java.util.Optional;

/** What the guest and the IOAS have of a device's BARs, if anything: all of it shared, or split. */
public final class MappedBars {
  private final StepLog log;
  private final AssignmentListener listener;
  private final Ledger ledger;
  private Optional<MmioMaps> maps = Optional.empty();

  /** What is being taken back, until none of it is left. */
  private Optional<MmioMaps> leftover = Optional.empty();

  public MappedBars(StepLog log, AssignmentListener listener, Ledger ledger) {
    this.log = log;
    this.listener = listener;
    this.ledger = ledger;
  }

  /** What they have; empty if nothing. */
  public Optional<MmioMaps> maps() {
    return maps;
  }

  /** Whether something could not be taken back. */
  public boolean hasLeftover() {
    return leftover.isPresent();
  }

  /** Step 1, and the end of step 7: gives all BARs, shared, if the device answers. */
  public void share(AssignedInterface device) {
    close();
    boolean answers =
        new Steps(log)
            .step(
                TdiStep.LOOK_FOR_DEVICE,
                () -> device.reach().answers(),
                does -> does ? "it does" : "it does not: memory decode is off, or it sleeps");
    if (answers) {
      listener.stage(Stage.SHARE);
      MmioMaps planned = plan(device, MmioLayout.allShared(device.places().barSizes(), Page.BYTES));
      orTakeBack(
          planned,
          () -> {
            planned.openDmaBufs();
            planned.mapShared();
          });
    }
  }

  /** The end of step 4, and steps 5 and 6: gives the BARs, split. */
  public void split(AssignedInterface device, MmioLayout layout) {
    close();
    MmioMaps planned = plan(device, layout);
    orTakeBack(
        planned,
        () -> {
          planned.openDmaBufs();
          planned.checkRuns();
          listener.stage(Stage.MAP_SHARED);
          planned.mapShared();
          listener.stage(Stage.MAP_PRIVATE);
          planned.mapPrivate();
        });
  }

  private MmioMaps plan(AssignedInterface device, MmioLayout layout) {
    MmioMaps planned =
        new Steps(log)
            .step(
                TdiStep.PLAN,
                () -> planned(device, layout),
                made ->
                    "%d dma-buf(s), %d memory slot(s), %d map(s)"
                        .formatted(
                            made.plan().dmaBufs().size(),
                            made.plan().slots().size(),
                            made.plan().maps().size()));
    planned.plan().remarks().forEach(listener::remark);
    return planned;
  }

  private MmioMaps planned(AssignedInterface device, MmioLayout layout) {
    IovaRanges iovas = device.ioas().ranges();
    Map<Integer, Long> addresses =
        UsablePlaces.of(
            device.places().addresses(),
            device.places().sizes(),
            device.ram().bytes(),
            iovas,
            listener::remark);
    SlotPlan plan =
        SlotPlan.of(layout, addresses, device.profile().abilities(device.slotsLeft()), iovas);
    return new MmioMaps(MmioTarget.of(device), layout, addresses, plan, ledger, new Steps(log));
  }

  private void orTakeBack(MmioMaps planned, Runnable opening) {
    try {
      opening.run();
    } catch (RuntimeException | Error e) {
      leftover = Optional.of(planned);
      try {
        close();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
    maps = Optional.of(planned);
  }

  /**
   * Takes them back. They count as gone even if something fails; whatever fails is tried again the
   * next time.
   */
  public void close() {
    if (maps.isPresent()) {
      leftover = maps;
      maps = Optional.empty();
    }
    leftover.ifPresent(MmioMaps::close);
    leftover = Optional.empty();
  }
}
