package dev.iolite.tdi;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.ledger.SlotAccess;
import dev.iolite.tdi.plan.PlannedDmaBuf;
import dev.iolite.tdi.plan.PlannedMap;
import dev.iolite.tdi.plan.PlannedSlot;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The BARs of a device as guest and IOAS have them: a plan, made so by calls. Closing takes all of
 * it back, in reverse, and checks with the kernel that nothing is left.
 */
final class MmioMaps implements AutoCloseable {
  private final AssignedInterface device;
  private final UapiProfile profile;
  private final MmioLayout layout;
  private final Map<Integer, Long> addresses;
  private final SlotPlan plan;
  private final Ledger ledger;
  private final Steps steps;
  private final List<DmaBuf> dmaBufs = new ArrayList<>();
  private final BitSet slotNumbers = new BitSet();

  MmioMaps(
      AssignedInterface device,
      UapiProfile profile,
      MmioLayout layout,
      Map<Integer, Long> addresses,
      SlotPlan plan,
      Ledger ledger,
      Steps steps) {
    this.device = device;
    this.profile = profile;
    this.layout = layout;
    this.addresses = addresses;
    this.plan = plan;
    this.ledger = ledger;
    this.steps = steps;
  }

  /** Those BARs that stand where the guest can reach them. */
  private List<BarLayout> placedBars() {
    return layout.bars().stream().filter(bar -> addresses.containsKey(bar.bar())).toList();
  }

  /** What of each BAR is of which kind. */
  MmioLayout layout() {
    return layout;
  }

  /** What was planned. */
  SlotPlan plan() {
    return plan;
  }

  /** Where each BAR is in the guest. */
  Map<Integer, Long> addresses() {
    return addresses;
  }

  /** The dma-bufs that are open, as {@link SlotPlan#dmaBufs} has them. */
  List<DmaBuf> dmaBufs() {
    return List.copyOf(dmaBufs);
  }

  /** Opens the dma-bufs. */
  void openDmaBufs() {
    steps.afterwards(TdiStep.CHECK_NOTHING_MAPPED, "nothing is", this::requireNothing);
    for (BarLayout bar : placedBars()) {
      long gpa = address(bar.bar());
      String name = PciRegion.nameOf(bar.bar());
      ledger.addRegion(name, gpa, bar);
      steps.onClose(() -> ledger.removeRegion(name));
    }
    for (PlannedDmaBuf wanted : plan.dmaBufs()) {
      steps.open(
          TdiStep.OPEN_DMA_BUF.on(words(wanted)),
          () -> open(wanted),
          _ -> dmaBufs.getLast() + ", " + wanted.ranges().size() + " range(s)",
          "closed");
    }
  }

  /** A BAR can have several of a kind, which differ in where they begin. */
  private static String words(PlannedDmaBuf wanted) {
    long first = wanted.ranges().getFirst().offset();
    String from = first == 0 ? "" : " from 0x%x".formatted(first);
    return "%s dma-buf of %s%s".formatted(wanted.kind(), PciRegion.nameOf(wanted.bar()), from);
  }

  private long address(int bar) {
    return Objects.requireNonNull(addresses.get(bar), "a BAR that does not stand in the guest");
  }

  private CloseStack open(PlannedDmaBuf wanted) {
    CloseStack open = new CloseStack();
    DmaBuf made = profile.exportDmaBuf(device.vfio(), wanted.bar(), wanted.ranges(), wanted.kind());
    dmaBufs.add(made);
    String name = name(dmaBufs.size() - 1);
    ledger.dmaBufOpened(name, wanted.kind(), true);
    open.onClose(() -> ledger.dmaBufClosed(name));
    open.push(made);
    return open;
  }

  /** By its descriptor, which is its own as long as it is open. */
  private String name(int dmaBuf) {
    return "dma-buf " + dmaBufs.get(dmaBuf).fd().number();
  }

  /** Gives the shared runs to the IOAS and to the guest. */
  void mapShared() {
    if (!plan.maps().isEmpty()) {
      steps.open(
          TdiStep.MAP_FOR_DMA,
          () -> all(plan.maps(), this::map),
          _ -> plan.maps().size() + " map(s) in " + device.ioas().id(),
          "unmapped");
    }
    slots(Kind.SHARED);
  }

  /** Gives the private runs to the guest. */
  void mapPrivate() {
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

  /** Makes all of them or none. */
  private static <T> CloseStack all(List<T> wanted, Function<T, CloseStack> maker) {
    try (CloseStack making = new CloseStack()) {
      for (T one : wanted) {
        making.push(maker.apply(one));
      }
      return making.release();
    }
  }

  private CloseStack map(PlannedMap map) {
    CloseStack made = new CloseStack();
    made.push(
        device
            .ioas()
            .mapFile(
                map.iova(),
                dmaBufs.get(map.dmaBuf()).fd(),
                map.start(),
                map.bytes(),
                IovaAccess.READ_WRITE));
    ledger.mapped(map.iova(), map.bytes(), Optional.of(name(map.dmaBuf())));
    made.onClose(() -> ledger.unmapped(map.iova(), map.bytes()));
    return made;
  }

  private CloseStack mark(PrivateRun run) {
    device.vm().setPrivate(run.gpa(), run.bytes(), true);
    CloseStack made = new CloseStack();
    made.onClose(() -> device.vm().setPrivate(run.gpa(), run.bytes(), false));
    return made;
  }

  private CloseStack slot(PlannedSlot wanted) {
    try (CloseStack making = new CloseStack()) {
      MemorySlot slot;
      if (wanted.dmaBuf().isEmpty()) {
        DeviceMemory memory =
            making.push(device.vfio().region(wanted.bar()).map(wanted.barOffset(), wanted.bytes()));
        slot = device.vm().addSlot(wanted.gpa(), wanted.bytes(), memory.address());
      } else {
        DmaBuf dmaBuf = dmaBufs.get(wanted.dmaBuf().getAsInt());
        slot =
            wanted.kind() == Kind.PRIVATE
                ? profile.addPrivateSlot(
                    device.vm(), wanted.gpa(), wanted.bytes(), dmaBuf, wanted.dmaBufOffset())
                : profile.addSharedSlot(
                    device.vm(), wanted.gpa(), wanted.bytes(), dmaBuf, wanted.dmaBufOffset());
      }
      making.push(slot);
      slotNumbers.set(slot.number());
      ledger.slotAdded(
          slot.number(),
          wanted.gpa(),
          wanted.bytes(),
          wanted.kind() == Kind.PRIVATE ? SlotAccess.PRIVATE : SlotAccess.SHARED,
          wanted.dmaBuf().stream().mapToObj(this::name).findFirst());
      making.onClose(() -> ledger.slotDeleted(slot.number(), slot.gpa()));
      return making.release();
    }
  }

  /** Asks the kernel, not our own books. */
  private void requireNothing() {
    slotNumbers.stream()
        .filter(device.vm()::deleteSlot)
        .findFirst()
        .ifPresent(number -> {
          throw new ScenarioException("memory slot " + number + " was still there");
        });
    for (BarLayout bar : placedBars()) {
      long left = unmapped(IovaRange.of(address(bar.bar()), bar.bytes()));
      if (left != 0) {
        throw new ScenarioException(
            "0x%x bytes of %s were still mapped in %s"
                .formatted(left, PciRegion.nameOf(bar.bar()), device.ioas().id()));
      }
    }
    dmaBufs.stream()
        .filter(file -> !file.fd().isClosed())
        .findFirst()
        .ifPresent(file -> {
          throw new ScenarioException(file + " was still open");
        });
  }

  /** The kernel says ENOENT if there is nothing to unmap. */
  private long unmapped(IovaRange range) {
    try {
      return device.ioas().unmap(range);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return 0;
      }
      throw e;
    }
  }

  /**
   * Where on the host's bus a guest-physical range of private MMIO is; empty if it is not private
   * memory of one BAR, all of it.
   */
  Optional<Long> physical(long from, long to) {
    for (BarLayout bar : placedBars()) {
      long offset = from - address(bar.bar());
      boolean isInside = from < to && offset >= 0 && to - address(bar.bar()) <= bar.bytes();
      if (isInside && bar.isAll(Kind.PRIVATE, offset, to - from)) {
        return Optional.of(physical(bar.bar(), offset));
      }
    }
    return Optional.empty();
  }

  /** Where a byte of a BAR is on the host's bus. */
  long physical(int bar, long offset) {
    return device.pci().resources().stream()
            .filter(resource -> resource.index() == bar)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no BAR " + bar))
            .start()
        + offset;
  }

  /**
   * Compares what the kernel says that the dma-bufs have with what was planned of the report.
   *
   * @throws ScenarioException if they differ
   */
  void checkRuns() {
    if (profile.operations().contains(TsmOperation.LIST_RUNS)) {
      steps.step(
          TdiStep.COMPARE_RUNS,
          "the same",
          () -> {
            for (int i = 0; i < dmaBufs.size(); i++) {
              checkRuns(plan.dmaBufs().get(i), dmaBufs.get(i));
            }
          });
    }
  }

  private void checkRuns(PlannedDmaBuf planned, DmaBuf file) {
    List<ByteRange> said =
        profile.runs(file).orElseThrow().stream()
            .map(run -> new ByteRange(run.barOffset(), run.bytes()))
            .toList();
    if (!said.equals(planned.ranges())) {
      throw new ScenarioException(
          "the kernel says that the %s dma-buf of %s has %s, and the layout says %s"
              .formatted(planned.kind(), PciRegion.nameOf(planned.bar()), said, planned.ranges()));
    }
  }

  @Override
  public void close() {
    steps.close();
  }
}
