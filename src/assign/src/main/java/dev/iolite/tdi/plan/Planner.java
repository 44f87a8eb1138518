package dev.iolite.tdi.plan;

import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Makes a plan, BAR by BAR. */
final class Planner {
  /** How the runs of a kind get their dma-bufs. */
  private enum DmaBufs {
    NONE,
    ONE,
    ONE_EACH
  }

  private final MmioLayout layout;
  private final Abilities abilities;
  private final List<PlannedDmaBuf> dmaBufs = new ArrayList<>();
  private final List<PlannedSlot> slots = new ArrayList<>();
  private final List<PlannedMap> maps = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();

  Planner(MmioLayout layout, Abilities abilities) {
    this.layout = layout;
    this.abilities = abilities;
  }

  SlotPlan plan(Places places) {
    for (BarLayout bar : layout.bars()) {
      if (places.gpa(bar).isEmpty()) {
        continue;
      }
      if (bar.bytes() % layout.pageBytes() != 0) {
        remarks.add(
            "BAR %d has %d bytes, no whole pages, so that it can't be in a memory slot: the VMM"
                    .formatted(bar.bar(), bar.bytes())
                + " serves the guest's accesses.");
      } else {
        plan(bar, places.gpa(bar).get());
      }
    }
    remarks.addAll(places.remarks());
    remarkPrivate();
    return new SlotPlan(dmaBufs, slots, maps, remarks);
  }

  private void plan(BarLayout bar, long gpa) {
    int firstPrivate = dmaBufs.size() + dmaBufs(bar, Kind.SHARED, sharedDmaBufs());
    Cursor shared = new Cursor(bar, Kind.SHARED, sharedDmaBufs(), dmaBufs.size());
    Cursor guarded = new Cursor(bar, Kind.PRIVATE, privateDmaBufs(), firstPrivate);
    boolean byDmaBuf = abilities.sharedSlots() == SharedSlots.BY_DMABUF;
    boolean hasPrivateSlots = privateDmaBufs() != DmaBufs.NONE;
    for (int i = 0; i < bar.runCount(); i++) {
      Run run = bar.run(i);
      long at = gpa + run.offset();
      if (run.kind() == Kind.SHARED) {
        shared.next(run);
        maps.add(new PlannedMap(at, run.bytes(), shared.dmaBuf, shared.offset));
        slots.add(
            byDmaBuf
                ? shared.slot(at, run)
                : new PlannedSlot(
                    at, run.bytes(), run.kind(), bar.bar(), run.offset(), OptionalInt.empty(), 0));
      } else if (hasPrivateSlots) {
        guarded.next(run);
        slots.add(guarded.slot(at, run));
      }
    }
    dmaBufs.addAll(shared.dmaBufs());
    dmaBufs.addAll(guarded.dmaBufs());
    remarkDmaBufs(bar);
  }

  private DmaBufs sharedDmaBufs() {
    return abilities.mapsSeveralRanges() ? DmaBufs.ONE : DmaBufs.ONE_EACH;
  }

  private DmaBufs privateDmaBufs() {
    return switch (abilities.privateMmio()) {
      case NOT_AT_ALL, BY_TSM -> DmaBufs.NONE;
      case SLOTS_OF_ONE_DMABUF -> DmaBufs.ONE;
      case SLOT_OF_WHOLE_DMABUF -> DmaBufs.ONE_EACH;
    };
  }

  private void remarkDmaBufs(BarLayout bar) {
    int shared = count(bar, Kind.SHARED);
    if (shared > 1 && sharedDmaBufs() == DmaBufs.ONE_EACH) {
      remarks.add(
          "BAR %d has %d shared dma-bufs, one for each run: this kernel's IOMMU_IOAS_MAP_FILE takes"
                  .formatted(bar.bar(), shared)
              + " a dma-buf of a single range only.");
    }
    int guarded = count(bar, Kind.PRIVATE);
    if (guarded > 1 && privateDmaBufs() == DmaBufs.ONE_EACH) {
      remarks.add(
          "BAR %d has %d private dma-bufs, one for each run: a slot of this kernel takes a whole"
                  .formatted(bar.bar(), guarded)
              + " dma-buf.");
    }
  }

  private void remarkPrivate() {
    if (!layout.hasPrivate()) {
      return;
    }
    if (abilities.privateMmio() == PrivateMmio.NOT_AT_ALL) {
      remarks.add(
          "This kernel has no interface for private MMIO: the private runs get no slot, and a guest"
              + " can't use the device for what it keeps there.");
    } else if (abilities.privateMmio() == PrivateMmio.BY_TSM) {
      remarks.add("The private runs get no slot: the TSM maps them when the guest validates them.");
    }
  }

  /** The number of dma-bufs that a BAR's runs of a kind get. */
  private static int dmaBufs(BarLayout bar, Kind kind, DmaBufs how) {
    return switch (how) {
      case NONE -> 0;
      case ONE -> Math.min(1, count(bar, kind));
      case ONE_EACH -> count(bar, kind);
    };
  }

  private static int count(BarLayout bar, Kind kind) {
    boolean startsWithIt = bar.run(0).kind() == kind;
    return (bar.runCount() + (startsWithIt ? 1 : 0)) / 2;
  }

  /** Walks along a BAR's runs of a kind, and plans their dma-bufs. */
  private static final class Cursor {
    private final int bar;
    private final Kind kind;
    private final DmaBufs how;
    private final int firstDmaBuf;
    private final List<ByteRange> ranges;
    private int dmaBuf;
    private long offset;
    private long end;

    Cursor(BarLayout layout, Kind kind, DmaBufs how, int firstDmaBuf) {
      bar = layout.bar();
      this.kind = kind;
      this.how = how;
      this.firstDmaBuf = firstDmaBuf;
      ranges = new ArrayList<>(how == DmaBufs.NONE ? 0 : count(layout, kind));
    }

    void next(Run run) {
      if (how == DmaBufs.ONE) {
        dmaBuf = firstDmaBuf;
        offset = end;
        end += run.bytes();
      } else {
        dmaBuf = firstDmaBuf + ranges.size();
      }
      ranges.add(new ByteRange(run.offset(), run.bytes()));
    }

    PlannedSlot slot(long gpa, Run run) {
      return new PlannedSlot(
          gpa, run.bytes(), run.kind(), bar, run.offset(), OptionalInt.of(dmaBuf), offset);
    }

    /** The dma-bufs of the runs that it has passed. */
    List<PlannedDmaBuf> dmaBufs() {
      if (ranges.isEmpty()) {
        return List.of();
      }
      return how == DmaBufs.ONE
          ? List.of(new PlannedDmaBuf(bar, kind, ranges))
          : ranges.stream().map(range -> new PlannedDmaBuf(bar, kind, List.of(range))).toList();
    }
  }
}
