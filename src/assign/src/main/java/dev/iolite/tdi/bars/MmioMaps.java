package dev.iolite.tdi.bars;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.CloseStack;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.PlannedMap;
import dev.iolite.tdi.plan.PlannedSlot;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * The BARs of a device as the guest and the IOAS have them: a plan that has been carried out.
 * Closing it undoes everything in reverse order and checks with the kernel that nothing is left.
 * What could not be undone is still recorded here and in the ledger, and is tried again when this
 * is closed again.
 */
public final class MmioMaps implements AutoCloseable {
  private final MmioTarget target;
  private final MmioLayout layout;
  private final Map<Integer, Long> addresses;
  private final SlotPlan plan;
  private final Ledger ledger;
  private final Steps steps;
  private final OpenDmaBufs dmaBufs;
  private final List<IoasMap> maps = new ArrayList<>();
  private final List<GuestSlot> slots = new ArrayList<>();

  /**
   * A plan to be carried out.
   *
   * @param target what it is carried out on
   * @param addresses where each BAR is in the guest
   * @param ledger records what is done
   */
  public MmioMaps(
      MmioTarget target,
      MmioLayout layout,
      Map<Integer, Long> addresses,
      SlotPlan plan,
      Ledger ledger,
      Steps steps) {
    this.target = target;
    this.layout = layout;
    this.addresses = addresses;
    this.plan = plan;
    this.ledger = ledger;
    this.steps = steps;
    dmaBufs = new OpenDmaBufs(target, plan, ledger, steps);
  }

  /** The BARs that are where the guest can reach them. */
  private List<BarLayout> placedBars() {
    return layout.bars().stream().filter(bar -> addresses.containsKey(bar.bar())).toList();
  }

  /** Which parts of each BAR are of which kind. */
  public MmioLayout layout() {
    return layout;
  }

  /** What was planned. */
  public SlotPlan plan() {
    return plan;
  }

  /** Where each BAR is in the guest. */
  public Map<Integer, Long> addresses() {
    return addresses;
  }

  /** The dma-bufs that are open, in the order of {@link SlotPlan#dmaBufs}. */
  public List<DmaBuf> dmaBufs() {
    return dmaBufs.all();
  }

  /** Opens the dma-bufs. */
  public void openDmaBufs() {
    for (BarLayout bar : placedBars()) {
      ledger.addRegion(PciRegion.nameOf(bar.bar()), address(bar.bar()), bar);
    }
    steps.afterwards(
        TdiStep.CHECK_NOTHING_MAPPED,
        "nothing is",
        () -> {
          requireNothing();
          placedBars().forEach(bar -> ledger.removeRegion(PciRegion.nameOf(bar.bar())));
        });
    dmaBufs.open();
  }

  private long address(int bar) {
    return Objects.requireNonNull(addresses.get(bar), "a BAR that does not stand in the guest");
  }

  /** Gives the shared runs to the IOAS and to the guest. */
  public void mapShared() {
    if (!plan.maps().isEmpty()) {
      steps.open(
          TdiStep.MAP_FOR_DMA,
          () -> all(plan.maps(), this::map),
          _ -> plan.maps().size() + " map(s) in " + target.ioas().id(),
          "unmapped");
    }
    slots(Kind.SHARED);
  }

  /** Gives the private runs to the guest. */
  public void mapPrivate() {
    List<PrivateRun> runs = privateRuns();
    if (!runs.isEmpty()) {
      steps.open(
          TdiStep.MARK_PRIVATE,
          () -> all(runs, this::mark),
          _ -> runs.size() + " run(s)",
          "marked");
    }
    slots(Kind.PRIVATE);
  }

  /** A private run in the guest's addresses. */
  private record PrivateRun(long gpa, long bytes) {}

  private List<PrivateRun> privateRuns() {
    List<PrivateRun> runs = new ArrayList<>();
    for (BarLayout bar : placedBars()) {
      for (Run run : bar.runs()) {
        if (run.kind() == Kind.PRIVATE) {
          runs.add(new PrivateRun(address(bar.bar()) + run.offset(), run.bytes()));
        }
      }
    }
    return runs;
  }

  private void slots(Kind kind) {
    List<PlannedSlot> wanted = plan.slots().stream().filter(s -> s.kind() == kind).toList();
    if (wanted.isEmpty()) {
      return;
    }
    String bars =
        wanted.stream()
            .map(slot -> PciRegion.nameOf(slot.bar()))
            .distinct()
            .collect(Collectors.joining(", "));
    steps.open(
        TdiStep.ADD_SLOTS.on("%s runs of %s".formatted(kind, bars)),
        () -> all(wanted, this::slot),
        _ -> wanted.size() + " memory slot(s)",
        "deleted");
  }

  /**
   * Makes all of them; after a failure, those that were made are taken back along with everything
   * else.
   */
  private <T> CloseStack all(List<T> wanted, BiConsumer<T, CloseStack> maker) {
    CloseStack made = new CloseStack();
    try {
      wanted.forEach(one -> maker.accept(one, made));
      return made;
    } catch (RuntimeException | Error e) {
      steps.onClose(made::close);
      throw e;
    }
  }

  private void map(PlannedMap planned, CloseStack made) {
    int file = planned.dmaBuf();
    maps.add(made.push(IoasMap.of(target, ledger, planned, dmaBufs.get(file), dmaBufs.name(file))));
  }

  private void mark(PrivateRun run, CloseStack made) {
    made.onClose(() -> {
      if (!target.vm().fd().isClosed()) {
        target.vm().setPrivate(run.gpa(), run.bytes(), false);
      }
    });
    target.vm().setPrivate(run.gpa(), run.bytes(), true);
  }

  private void slot(PlannedSlot wanted, CloseStack made) {
    GuestSlot slot = new GuestSlot(target, ledger);
    made.push(slot);
    slots.add(slot);
    if (wanted.dmaBuf().isEmpty()) {
      slot.addOfBar(wanted);
    } else {
      int file = wanted.dmaBuf().getAsInt();
      slot.addOfDmaBuf(wanted, dmaBufs.get(file), dmaBufs.name(file));
    }
  }

  /** Asks the kernel rather than our own records, and takes back what was left. */
  private void requireNothing() {
    List<String> left = new ArrayList<>();
    slots.stream()
        .flatMap(slot -> slot.deleteIfThere().stream())
        .forEach(slot -> left.add(slot + " was still there"));
    maps.forEach(IoasMap::close);
    for (BarLayout bar : placedBars()) {
      long bytes = IoasMap.unmap(target, IovaRange.of(address(bar.bar()), bar.bytes()));
      if (bytes != 0) {
        left.add(
            "0x%x bytes of %s were still mapped in %s"
                .formatted(bytes, PciRegion.nameOf(bar.bar()), target.ioas().id()));
      }
    }
    dmaBufs.stillOpen().forEach(file -> left.add(file + " was still open"));
    if (!left.isEmpty()) {
      throw new ScenarioException(String.join(", ", left));
    }
  }

  /**
   * Where on the host's bus a guest-physical range of private MMIO is; empty if it is not entirely
   * private memory of one BAR.
   */
  public Optional<Long> physical(AssignedInterface device, long from, long to) {
    for (BarLayout bar : placedBars()) {
      long offset = from - address(bar.bar());
      boolean isInside = from < to && offset >= 0 && to - address(bar.bar()) <= bar.bytes();
      if (isInside && bar.isAll(Kind.PRIVATE, offset, to - from)) {
        return Optional.of(device.physical(bar.bar(), offset));
      }
    }
    return Optional.empty();
  }

  /**
   * Compares what the kernel says about the content of the dma-bufs with what was planned from the
   * report.
   *
   * @throws ScenarioException if they differ
   */
  void checkRuns() {
    dmaBufs.checkRuns();
  }

  @Override
  public void close() {
    steps.close();
  }
}
