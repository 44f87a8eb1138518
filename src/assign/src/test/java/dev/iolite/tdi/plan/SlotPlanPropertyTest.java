package dev.iolite.tdi.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Plans against what is counted page by page: each page once, in its kind, at its place in the BAR,
 * with as little as there can be.
 */
class SlotPlanPropertyTest {
  private static final long PAGE = Page.BYTES;
  private static final int MOST_PAGES = 24;

  /** A layout as a plain list of pages, by BAR. */
  private static final class Pages {
    private final Map<Integer, Kind[]> kinds = new TreeMap<>();
    private final Map<Integer, Long> gpas = new TreeMap<>();

    Pages(Random random) {
      long gpa = random.nextInt(1 << 20) * PAGE;
      for (int bar = 0; bar < BarSize.BARS; bar++) {
        if (random.nextInt(3) == 0) {
          Kind[] pages = new Kind[1 + random.nextInt(MOST_PAGES)];
          int likely = random.nextInt(5);
          for (int i = 0; i < pages.length; i++) {
            pages[i] = random.nextInt(4) < likely ? Kind.PRIVATE : Kind.SHARED;
          }
          kinds.put(bar, pages);
          gpas.put(bar, gpa);
          gpa += (pages.length + random.nextInt(2)) * PAGE;
        }
      }
    }

    MmioLayout layout() {
      List<BarSize> sizes = new ArrayList<>();
      Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
      kinds.forEach((bar, pages) -> {
        sizes.add(new BarSize(bar, pages.length * PAGE));
        List<ByteRange> ofBar = new ArrayList<>();
        for (int i = 0; i < pages.length; i++) {
          if (pages[i] == Kind.PRIVATE) {
            ofBar.add(new ByteRange(i * PAGE, PAGE));
          }
        }
        ranges.put(bar, ofBar);
      });
      return MmioLayout.ofPrivate(sizes, ranges, PAGE);
    }

    long gpa(int bar) {
      return requireNonNull(gpas.get(bar));
    }

    /** How often a run of a kind begins. */
    int runs(int bar, Kind kind) {
      Kind[] pages = requireNonNull(kinds.get(bar));
      int runs = 0;
      for (int i = 0; i < pages.length; i++) {
        if (pages[i] == kind && (i == 0 || pages[i - 1] != kind)) {
          runs++;
        }
      }
      return runs;
    }

    int runs(Kind kind) {
      return kinds.keySet().stream().mapToInt(bar -> runs(bar, kind)).sum();
    }

    int barsWith(Kind kind) {
      return (int) kinds.keySet().stream().filter(bar -> runs(bar, kind) > 0).count();
    }
  }

  @Property(tries = 10_000)
  void eachPageIsCoveredOnceInItsKindWithAsLittleAsPossible(@ForAll long seed) {
    Pages pages = new Pages(new Random(seed));
    MmioLayout layout = pages.layout();
    for (SharedSlots shared : SharedSlots.values()) {
      for (PrivateMmio guarded : PrivateMmio.values()) {
        for (boolean several : new boolean[] {false, true}) {
          Abilities abilities = new Abilities(shared, guarded, several, Integer.MAX_VALUE);
          check(pages, abilities, SlotPlan.of(layout, pages.gpas, abilities));
        }
      }
    }
  }

  private static void check(Pages pages, Abilities abilities, SlotPlan plan) {
    boolean slotsForPrivate =
        abilities.privateMmio() == PrivateMmio.SLOTS_OF_ONE_DMABUF
            || abilities.privateMmio() == PrivateMmio.SLOT_OF_WHOLE_DMABUF;
    Map<Long, Kind> bySlot = new TreeMap<>();
    for (PlannedSlot slot : plan.slots()) {
      assertThat(slot.gpa()).isEqualTo(pages.gpa(slot.bar()) + slot.barOffset());
      slot.dmaBuf()
          .ifPresent(index -> {
            PlannedDmaBuf dmaBuf = plan.dmaBufs().get(index);
            assertThat(dmaBuf.kind()).isEqualTo(slot.kind());
            requirePlace(dmaBuf, slot.dmaBufOffset(), slot.bar(), slot.barOffset(), slot.bytes());
            if (slot.kind() == Kind.PRIVATE
                && abilities.privateMmio() == PrivateMmio.SLOT_OF_WHOLE_DMABUF) {
              assertThat(dmaBuf.bytes()).isEqualTo(slot.bytes());
            }
          });
      boolean byAddress =
          slot.kind() == Kind.SHARED && abilities.sharedSlots() == SharedSlots.BY_ADDRESS;
      assertThat(slot.dmaBuf().isEmpty()).isEqualTo(byAddress);
      for (long at = 0; at < slot.bytes(); at += PAGE) {
        assertThat(bySlot.put(slot.gpa() + at, slot.kind())).isNull();
      }
    }
    Map<Long, Kind> byMap = new TreeMap<>();
    for (PlannedMap map : plan.maps()) {
      PlannedDmaBuf dmaBuf = plan.dmaBufs().get(map.dmaBuf());
      assertThat(dmaBuf.ranges().size() == 1 || abilities.mapsSeveralRanges()).isTrue();
      long offset = map.iova() - pages.gpa(dmaBuf.bar());
      requirePlace(dmaBuf, map.start(), dmaBuf.bar(), offset, map.bytes());
      for (long at = 0; at < map.bytes(); at += PAGE) {
        assertThat(byMap.put(map.iova() + at, dmaBuf.kind())).isNull();
      }
    }
    Map<Long, Kind> wantedSlots = new TreeMap<>();
    Map<Long, Kind> wantedMaps = new TreeMap<>();
    pages.kinds.forEach((bar, kinds) -> {
      for (int i = 0; i < kinds.length; i++) {
        long gpa = pages.gpa(bar) + i * PAGE;
        if (kinds[i] == Kind.SHARED || slotsForPrivate) {
          wantedSlots.put(gpa, kinds[i]);
        }
        if (kinds[i] == Kind.SHARED) {
          wantedMaps.put(gpa, kinds[i]);
        }
      }
    });
    assertThat(bySlot).isEqualTo(wantedSlots);
    assertThat(byMap).isEqualTo(wantedMaps);

    int privateRuns = pages.runs(Kind.PRIVATE);
    assertThat(plan.slots()).hasSize(pages.runs(Kind.SHARED) + (slotsForPrivate ? privateRuns : 0));
    assertThat(plan.maps()).hasSize(pages.runs(Kind.SHARED));
    int sharedBufs =
        abilities.mapsSeveralRanges() ? pages.barsWith(Kind.SHARED) : pages.runs(Kind.SHARED);
    int privateBufs =
        switch (abilities.privateMmio()) {
          case NOT_AT_ALL, BY_TSM -> 0;
          case SLOTS_OF_ONE_DMABUF -> pages.barsWith(Kind.PRIVATE);
          case SLOT_OF_WHOLE_DMABUF -> privateRuns;
        };
    assertThat(plan.dmaBufs()).hasSize(sharedBufs + privateBufs);
  }

  /** What is in a dma-buf at an offset must be what is in the BAR at another. */
  private static void requirePlace(
      PlannedDmaBuf dmaBuf, long start, int bar, long barOffset, long bytes) {
    assertThat(dmaBuf.bar()).isEqualTo(bar);
    List<Long> content = new ArrayList<>();
    for (ByteRange range : dmaBuf.ranges()) {
      for (long at = 0; at < range.bytes(); at += PAGE) {
        content.add(range.offset() + at);
      }
    }
    for (long at = 0; at < bytes; at += PAGE) {
      assertThat(content.get((int) ((start + at) / PAGE))).isEqualTo(barOffset + at);
    }
  }
}
