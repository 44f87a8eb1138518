package dev.iolite.tdi.ledger;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.Run;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Records, for every page of a guest's RAM and of its BARs, the page's kind, its memory slot,
 * whether the IOAS maps it, and the dma-bufs of both. Callers report each change after the kernel
 * has made it; the ledger says at any time what is where, and whether it is consistent. I/O virtual
 * addresses equal guest-physical ones.
 *
 * <p>A change takes time logarithmic in the number of runs, plus time for each run that it touches.
 *
 * <p>Addresses and sizes are multiples of 4096 and below 2<sup>52</sup>; anything else, or a
 * reference to something that was not recorded before, is an {@link IllegalArgumentException}. Not
 * safe for use by many threads.
 */
public final class Ledger {

  /** The largest slot number: KVM's field for it has 16 bits. */
  private static final int LAST_SLOT = 0xffff;

  private record Region(String name, long first, long last) {}

  /** A slot or map over pages that already have one; the facts contain nothing else. */
  private record Extra(long first, long last, Facts facts) {
    boolean isSlot() {
      return facts.slot().isPresent();
    }
  }

  private final TreeMap<Long, Region> regions = new TreeMap<>();
  private final FactRuns runs = new FactRuns();
  private final Map<String, DmaBuf> dmaBufs = new HashMap<>();
  private final List<Extra> extras = new ArrayList<>();

  // -- changes

  /**
   * Records that the guest has a BAR, with pages of these kinds. To change its layout, remove it
   * first.
   */
  public void addRegion(String name, long gpa, BarLayout layout) {
    Region region = region(name, gpa, layout.bytes());
    for (Run run : layout.runs()) {
      long first = region.first() + (run.offset() >>> Page.SHIFT);
      long last = region.first() + (run.end() >>> Page.SHIFT) - 1;
      runs.update(first, last, facts -> facts.withKind(Optional.of(run.kind())));
    }
  }

  /** Records RAM, or a BAR, whose pages are all of one kind until they are converted. */
  public void addRegion(String name, long gpa, long bytes, Kind kind) {
    Region region = region(name, gpa, bytes);
    runs.update(region.first(), region.last(), facts -> facts.withKind(Optional.of(kind)));
  }

  private Region region(String name, long gpa, long bytes) {
    Region region = new Region(name, first(gpa, bytes), last(gpa, bytes));
    boolean isTaken =
        regions.values().stream()
            .anyMatch(other ->
                other.name().equals(name)
                    || (other.first() <= region.last() && region.first() <= other.last()));
    if (isTaken) {
      throw new IllegalArgumentException(
          "region %s at 0x%x+0x%x overlaps another, or one has its name"
              .formatted(name, gpa, bytes));
    }
    regions.put(region.first(), region);
    return region;
  }

  /** Records that the guest no longer has a region. */
  public void removeRegion(String name) {
    Region region =
        regions.values().stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no region " + name));
    regions.remove(region.first());
    runs.update(region.first(), region.last(), facts -> facts.withKind(Optional.empty()));
  }

  /** Records that pages of a region became shared or private. */
  public void convert(long gpa, long bytes, Kind kind) {
    long first = first(gpa, bytes);
    long last = last(gpa, bytes);
    runs.forEach(
        first,
        last,
        (_, _, facts) -> {
          if (facts.kind().isEmpty()) {
            throw new IllegalArgumentException(
                "0x%x+0x%x is not all in regions".formatted(gpa, bytes));
          }
        });
    runs.update(first, last, facts -> facts.withKind(Optional.of(kind)));
  }

  /**
   * Records that a dma-buf was opened. One that the kernel restored after revoking it counts as
   * newly opened: earlier slots and maps remain those of a revoked one.
   *
   * @param name what it is called; an earlier one with the same name must be revoked or closed
   * @param kind the kind of all of it
   * @param live false if it was revoked when it was opened, as with memory decode off
   */
  public void dmaBufOpened(String name, Kind kind, boolean live) {
    boolean isOpen =
        Optional.ofNullable(dmaBufs.get(name))
            .filter(old -> old.state() == DmaBuf.State.LIVE)
            .isPresent();
    if (isOpen) {
      throw new IllegalArgumentException("dma-buf " + name + " is open");
    }
    dmaBufs.put(name, new DmaBuf(name, kind, live ? DmaBuf.State.LIVE : DmaBuf.State.REVOKED));
  }

  /** Records that a dma-buf was revoked. */
  public void dmaBufRevoked(String name) {
    dmaBuf(name).become(DmaBuf.State.REVOKED);
  }

  /** Records that a dma-buf was closed. */
  public void dmaBufClosed(String name) {
    dmaBuf(name).become(DmaBuf.State.CLOSED);
  }

  /**
   * Records that a memory slot was made.
   *
   * @param number its number, 0 to 65535
   * @param access which accesses it serves
   * @param dmaBuf the dma-buf that it is made of; empty for one made of memory of this process or
   *     of a guest_memfd
   */
  public void slotAdded(
      int number, long gpa, long bytes, SlotAccess access, Optional<String> dmaBuf) {
    if (number < 0 || number > LAST_SLOT) {
      throw new IllegalArgumentException("slots have numbers from 0 to 65535, not " + number);
    }
    var slot = new Facts.Slot(number, access, dmaBuf.map(this::dmaBuf));
    place(new Extra(first(gpa, bytes), last(gpa, bytes), Facts.NONE.withSlot(Optional.of(slot))));
  }

  /**
   * Records that a memory slot was deleted.
   *
   * @param gpa its first address
   */
  public void slotDeleted(int number, long gpa) {
    long first = first(gpa, Page.BYTES);
    if (extras.removeIf(extra -> extra.facts().hasSlot(number) && extra.first() == first)) {
      return;
    }
    if (!runs.facts(first).hasSlot(number)
        || (first > 0 && runs.facts(first - 1).hasSlot(number))) {
      throw new IllegalArgumentException("slot %d does not start at 0x%x".formatted(number, gpa));
    }
    long last = runs.lastOfRun(first);
    while (last < FactRuns.LAST_PAGE && runs.facts(last + 1).hasSlot(number)) {
      last = runs.lastOfRun(last + 1);
    }
    runs.update(first, last, facts -> facts.withSlot(Optional.empty()));
    placeExtras();
  }

  /**
   * Records that a map was made in the IOAS.
   *
   * @param dmaBuf what it maps; empty for memory of this process
   */
  public void mapped(long iova, long bytes, Optional<String> dmaBuf) {
    var map = new Facts.Mapped(dmaBuf.map(this::dmaBuf));
    place(new Extra(first(iova, bytes), last(iova, bytes), Facts.NONE.withMap(Optional.of(map))));
  }

  /** Records that all maps in a range were removed from the IOAS. */
  public void unmapped(long iova, long bytes) {
    long first = first(iova, bytes);
    long last = last(iova, bytes);
    extras.removeIf(extra -> !extra.isSlot() && first <= extra.first() && extra.last() <= last);
    runs.update(first, last, facts -> facts.withMap(Optional.empty()));
    placeExtras();
  }

  /** Records a slot or map, next to the others if pages already have one. */
  private void place(Extra added) {
    if (!isFree(added)) {
      extras.add(added);
      return;
    }
    Facts facts = added.facts();
    runs.update(
        added.first(),
        added.last(),
        old -> added.isSlot() ? old.withSlot(facts.slot()) : old.withMap(facts.map()));
  }

  /** Records extra slots and maps in their place once that place has become free. */
  private void placeExtras() {
    List<Extra> waiting = List.copyOf(extras);
    extras.clear();
    waiting.forEach(this::place);
  }

  private boolean isFree(Extra added) {
    boolean[] isTaken = new boolean[1];
    runs.forEach(
        added.first(),
        added.last(),
        (_, _, facts) ->
            isTaken[0] |= added.isSlot() ? facts.slot().isPresent() : facts.map().isPresent());
    return !isTaken[0];
  }

  private DmaBuf dmaBuf(String name) {
    return Optional.ofNullable(dmaBufs.get(name))
        .orElseThrow(() -> new IllegalArgumentException("no dma-buf " + name + " was opened"));
  }

  private static long first(long address, long bytes) {
    long end = address + bytes;
    boolean fits =
        address >= 0 && bytes > 0 && end > 0 && (end - 1) >>> Page.SHIFT <= FactRuns.LAST_PAGE;
    if (!fits || ((address | bytes) & (Page.BYTES - 1)) != 0) {
      throw new IllegalArgumentException(
          "0x%x+0x%x are no pages below 2^52".formatted(address, bytes));
    }
    return address >>> Page.SHIFT;
  }

  private static long last(long address, long bytes) {
    return first(address, bytes) + (bytes >>> Page.SHIFT) - 1;
  }

  // -- queries

  /** The kind of the page that contains an address; empty outside all regions. */
  public Optional<Kind> kind(long gpa) {
    return runs.facts(gpa >>> Page.SHIFT).kind();
  }

  /** The number of runs that it keeps. */
  public int runCount() {
    return runs.size();
  }

  /** All pages of regions, and all others that have a slot or a map, from low to high addresses. */
  public List<LedgerRow> rows() {
    List<LedgerRow> rows = new ArrayList<>();
    long next = 0;
    for (Region region : regions.values()) {
      addRows(rows, next, region.first() - 1, Optional.empty());
      addRows(rows, region.first(), region.last(), Optional.of(region.name()));
      next = region.last() + 1;
    }
    addRows(rows, next, FactRuns.LAST_PAGE, Optional.empty());
    return List.copyOf(rows);
  }

  private void addRows(List<LedgerRow> rows, long first, long last, Optional<String> region) {
    if (first > last) {
      return;
    }
    runs.forEach(
        first,
        last,
        (start, end, facts) -> {
          if (region.isPresent() || !facts.equals(Facts.NONE)) {
            rows.add(row(region, start, end, facts));
          }
        });
  }

  private static LedgerRow row(Optional<String> region, long first, long last, Facts facts) {
    return new LedgerRow(
        region,
        first << Page.SHIFT,
        (last + 1 - first) << Page.SHIFT,
        facts.kind(),
        facts.slot().map(slot -> OptionalInt.of(slot.number())).orElse(OptionalInt.empty()),
        facts.slot().map(Facts.Slot::access),
        facts.slot().flatMap(Facts.Slot::dmaBuf).map(DmaBuf::name),
        facts.map().isPresent(),
        facts.map().flatMap(Facts.Mapped::dmaBuf).map(DmaBuf::name));
  }

  /** The contradictions, from low to high addresses; empty if there are none. */
  public List<LedgerProblem> problems() {
    Contradictions found = new Contradictions();
    runs.forEach(0, FactRuns.LAST_PAGE, found::check);
    for (Extra extra : extras) {
      found.overlap(extra.first(), extra.last(), extra.facts());
    }
    return found.all();
  }
}
