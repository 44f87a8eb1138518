package dev.iolite.tdi.bars;

import dev.iolite.kernel.CloseStack;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.PlannedDmaBuf;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.ArrayList;
import java.util.List;

/** The dma-bufs of a plan, opened one after another. */
final class OpenDmaBufs {
  private final MmioTarget target;
  private final SlotPlan plan;
  private final Ledger ledger;
  private final Steps steps;
  private final List<DmaBuf> open = new ArrayList<>();

  OpenDmaBufs(MmioTarget target, SlotPlan plan, Ledger ledger, Steps steps) {
    this.target = target;
    this.plan = plan;
    this.ledger = ledger;
    this.steps = steps;
  }

  /** Opens all of them. */
  void open() {
    for (PlannedDmaBuf wanted : plan.dmaBufs()) {
      steps.open(
          TdiStep.OPEN_DMA_BUF.on(words(wanted)),
          () -> open(wanted),
          _ -> open.getLast() + ", " + wanted.ranges().size() + " range(s)",
          "closed");
    }
  }

  /** The dma-bufs that were opened, in the order of {@link SlotPlan#dmaBufs}. */
  List<DmaBuf> all() {
    return List.copyOf(open);
  }

  DmaBuf get(int dmaBuf) {
    return open.get(dmaBuf);
  }

  /** The dma-bufs that have not been closed. */
  List<DmaBuf> stillOpen() {
    return open.stream().filter(file -> !file.fd().isClosed()).toList();
  }

  /** Describes a dma-buf: a BAR can have several of a kind, which differ in where they begin. */
  private static String words(PlannedDmaBuf wanted) {
    long first = wanted.ranges().getFirst().offset();
    String from = first == 0 ? "" : " from 0x%x".formatted(first);
    return "%s dma-buf of %s%s".formatted(wanted.kind(), PciRegion.nameOf(wanted.bar()), from);
  }

  private CloseStack open(PlannedDmaBuf wanted) {
    CloseStack undo = new CloseStack();
    DmaBuf made =
        target.profile().exportDmaBuf(target.vfio(), wanted.bar(), wanted.ranges(), wanted.kind());
    open.add(made);
    String name = name(open.size() - 1);
    ledger.dmaBufOpened(name, wanted.kind(), true);
    undo.onClose(() -> ledger.dmaBufClosed(name));
    undo.push(made);
    return undo;
  }

  /** The name of a dma-buf: its descriptor, which is unique as long as it is open. */
  String name(int dmaBuf) {
    return "dma-buf " + open.get(dmaBuf).fd().number();
  }

  /** Compares their runs with the plan, if the kernel lists them. */
  void checkRuns() {
    if (target.profile().operations().contains(TsmOperation.LIST_RUNS)) {
      steps.step(
          TdiStep.COMPARE_RUNS,
          "the same",
          () -> {
            for (int i = 0; i < open.size(); i++) {
              checkRuns(plan.dmaBufs().get(i), open.get(i));
            }
          });
    }
  }

  private void checkRuns(PlannedDmaBuf planned, DmaBuf file) {
    List<ByteRange> said =
        target.profile().runs(file).orElseThrow().stream()
            .map(run -> new ByteRange(run.barOffset(), run.bytes()))
            .toList();
    if (!said.equals(planned.ranges())) {
      throw new ScenarioException(
          "the kernel says that the %s dma-buf of %s has %s, and the layout says %s"
              .formatted(planned.kind(), PciRegion.nameOf(planned.bar()), said, planned.ranges()));
    }
  }
}
