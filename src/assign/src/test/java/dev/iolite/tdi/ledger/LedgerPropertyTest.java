package dev.iolite.tdi.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** The ledger against a model that has a record of each page. */
class LedgerPropertyTest {
  private static final long PAGE = 4096;
  private static final long BASE = 0xff_0000_0000L;

  /** A dma-buf, of which each opening is another one. */
  private static final class DmaBuf {
    private final String name;
    private final Kind kind;
    private String state;

    DmaBuf(String name, Kind kind, String state) {
      this.name = name;
      this.kind = kind;
      this.state = state;
    }
  }

  private record Slot(int number, int first, int last, SlotAccess access, Optional<DmaBuf> of) {}

  private record IoasMap(int first, int last, Optional<DmaBuf> of) {}

  private record Region(String name, int first, int last) {}

  private final class Model {
    private final Random random;
    private final int pages;
    private final Ledger ledger = new Ledger();
    private final Kind[] kinds;
    private final Slot[] slots;
    private final IoasMap[] maps;
    private final List<Slot> waitingSlots = new ArrayList<>();
    private final List<IoasMap> waitingMaps = new ArrayList<>();
    private final Map<String, Region> regions = new TreeMap<>();
    private final Map<String, DmaBuf> dmaBufs = new TreeMap<>();
    private int counter;

    Model(Random random, int pages) {
      this.random = random;
      this.pages = pages;
      kinds = new Kind[pages];
      slots = new Slot[pages];
      maps = new IoasMap[pages];
    }

    private Kind kind() {
      return random.nextBoolean() ? Kind.SHARED : Kind.PRIVATE;
    }

    private <T> Optional<T> any(List<T> of) {
      return of.isEmpty() ? Optional.empty() : Optional.of(of.get(random.nextInt(of.size())));
    }

    private Optional<DmaBuf> anyDmaBuf() {
      return random.nextInt(3) == 0 ? Optional.empty() : any(List.copyOf(dmaBufs.values()));
    }

    void step() {
      int first = random.nextInt(pages);
      int last = first + random.nextInt(Math.min(pages - first, 1 + pages / 4));
      long gpa = BASE + first * PAGE;
      long bytes = (last + 1 - first) * PAGE;
      switch (random.nextInt(9)) {
        case 0 -> addRegion(first, last, gpa, bytes);
        case 1 -> {
          if (random.nextInt(3) == 0) {
            any(List.copyOf(regions.values()))
                .ifPresent(region -> {
                  ledger.removeRegion(region.name);
                  regions.remove(region.name);
                  Arrays.fill(kinds, region.first, region.last + 1, null);
                });
          }
        }
        case 2 -> {
          if (Arrays.stream(kinds, first, last + 1).allMatch(kind -> kind != null)) {
            Kind kind = kind();
            ledger.convert(gpa, bytes, kind);
            Arrays.fill(kinds, first, last + 1, kind);
          }
        }
        case 3, 4 -> {
          SlotAccess access = any(List.of(SlotAccess.values())).orElseThrow();
          Slot slot = new Slot(counter++, first, last, access, anyDmaBuf());
          ledger.slotAdded(slot.number, gpa, bytes, access, slot.of.map(of -> of.name));
          place(slot);
        }
        case 5 -> deleteSlot();
        case 6 -> {
          IoasMap map = new IoasMap(first, last, anyDmaBuf());
          ledger.mapped(gpa, bytes, map.of.map(of -> of.name));
          place(map);
        }
        case 7 -> {
          ledger.unmapped(gpa, bytes);
          waitingMaps.removeIf(map -> first <= map.first && map.last <= last);
          Arrays.fill(maps, first, last + 1, null);
          List<IoasMap> waiting = List.copyOf(waitingMaps);
          waitingMaps.clear();
          waiting.forEach(this::place);
        }
        default -> changeDmaBuf();
      }
    }

    private void addRegion(int first, int last, long gpa, long bytes) {
      if (Arrays.stream(kinds, first, last + 1).anyMatch(kind -> kind != null)) {
        return;
      }
      Region region = new Region("region " + counter++, first, last);
      regions.put(region.name, region);
      if (random.nextBoolean()) {
        Kind kind = kind();
        ledger.addRegion(region.name, gpa, bytes, kind);
        Arrays.fill(kinds, first, last + 1, kind);
        return;
      }
      List<ByteRange> guarded = new ArrayList<>();
      for (int page = first; page <= last; page++) {
        kinds[page] = kind();
        if (kinds[page] == Kind.PRIVATE) {
          guarded.add(new ByteRange((page - first) * PAGE, PAGE));
        }
      }
      BarLayout layout =
          MmioLayout.ofPrivate(List.of(new BarSize(0, bytes)), Map.of(0, guarded), PAGE)
              .bars()
              .getFirst();
      ledger.addRegion(region.name, gpa, layout);
    }

    private void place(Slot slot) {
      if (Arrays.stream(slots, slot.first, slot.last + 1).anyMatch(other -> other != null)) {
        waitingSlots.add(slot);
      } else {
        Arrays.fill(slots, slot.first, slot.last + 1, slot);
      }
    }

    private void place(IoasMap map) {
      if (Arrays.stream(maps, map.first, map.last + 1).anyMatch(other -> other != null)) {
        waitingMaps.add(map);
      } else {
        Arrays.fill(maps, map.first, map.last + 1, map);
      }
    }

    private void deleteSlot() {
      List<Slot> all = new ArrayList<>(waitingSlots);
      Arrays.stream(slots).filter(slot -> slot != null).distinct().forEach(all::add);
      any(all)
          .ifPresent(slot -> {
            ledger.slotDeleted(slot.number, BASE + slot.first * PAGE);
            if (!waitingSlots.remove(slot)) {
              Arrays.fill(slots, slot.first, slot.last + 1, null);
              List<Slot> waiting = List.copyOf(waitingSlots);
              waitingSlots.clear();
              waiting.forEach(this::place);
            }
          });
    }

    private void changeDmaBuf() {
      String name = "dma-buf " + random.nextInt(6);
      Optional<DmaBuf> now = Optional.ofNullable(dmaBufs.get(name));
      if (now.isEmpty() || !now.get().state.equals("live")) {
        boolean live = random.nextInt(4) != 0;
        DmaBuf opened = new DmaBuf(name, kind(), live ? "live" : "revoked");
        ledger.dmaBufOpened(name, opened.kind, live);
        dmaBufs.put(name, opened);
      } else if (random.nextBoolean()) {
        ledger.dmaBufRevoked(name);
        now.get().state = "revoked";
      } else {
        ledger.dmaBufClosed(name);
        now.get().state = "closed";
      }
    }

    private Optional<String> region(int page) {
      return regions.values().stream()
          .filter(region -> region.first <= page && page <= region.last)
          .map(Region::name)
          .findFirst();
    }

    private String fact(int page) {
      Slot slot = slots[page];
      IoasMap map = maps[page];
      return "%s %s %s %s"
          .formatted(
              region(page),
              kinds[page],
              slot == null
                  ? "-"
                  : slot.number + " " + slot.access + " " + slot.of.map(of -> of.name),
              map == null ? "-" : map.of.map(of -> of.name));
    }

    private static String fact(LedgerRow row) {
      return "%s %s %s %s"
          .formatted(
              row.region(),
              row.kind().map(Kind::toString).orElse("null"),
              row.slot().isEmpty()
                  ? "-"
                  : row.slot().getAsInt()
                      + " "
                      + row.access().orElseThrow()
                      + " "
                      + row.slotDmaBuf(),
              row.isMapped() ? row.mapDmaBuf() : "-");
    }

    void checkRows() {
      Map<Long, String> actual = new TreeMap<>();
      for (LedgerRow row : ledger.rows()) {
        for (long at = 0; at < row.bytes(); at += PAGE) {
          assertThat(actual.put(row.gpa() + at, fact(row))).isNull();
        }
      }
      Map<Long, String> expected = new TreeMap<>();
      for (int page = 0; page < pages; page++) {
        if (kinds[page] != null || slots[page] != null || maps[page] != null) {
          expected.put(BASE + page * PAGE, fact(page));
        }
      }
      assertThat(actual).isEqualTo(expected);
      assertThat(ledger.runCount()).isEqualTo(runs());
    }

    /**
     * How many runs of equal facts there are; the ledger does not know regions from one another.
     */
    private int runs() {
      int runs = 1;
      List<?> before = facts(-1);
      for (int page = 0; page <= pages; page++) {
        List<?> facts = facts(page);
        runs += facts.equals(before) ? 0 : 1;
        before = facts;
      }
      return runs;
    }

    private List<?> facts(int page) {
      if (page < 0 || page == pages) {
        return Arrays.asList(null, null, null);
      }
      return Arrays.asList(kinds[page], slots[page], maps[page] == null ? null : maps[page].of);
    }

    void checkProblems() {
      TreeSet<String> actual = new TreeSet<>();
      for (LedgerProblem problem : ledger.problems()) {
        for (long at = 0; at < problem.bytes(); at += PAGE) {
          actual.add("%x %s".formatted(problem.gpa() + at, problem.what()));
        }
      }
      TreeSet<String> expected = new TreeSet<>();
      for (int page = 0; page < pages; page++) {
        String at = "%x ".formatted(BASE + page * PAGE);
        problems(page).forEach(what -> expected.add(at + what));
      }
      assertThat(actual).isEqualTo(expected);
    }

    private List<String> problems(int page) {
      List<String> problems = new ArrayList<>();
      Kind kind = kinds[page];
      Slot slot = slots[page];
      if (slot != null) {
        String name = "slot " + slot.number;
        String only = name + ", for " + slot.access + " accesses only, ";
        if (kind == null) {
          problems.add(name + " lies outside of all regions");
        } else if (slot.access == SlotAccess.SHARED && kind == Kind.PRIVATE) {
          problems.add(only + "has private pages");
        } else if (slot.access == SlotAccess.PRIVATE && kind == Kind.SHARED) {
          problems.add(only + "has shared pages");
        }
        slot.of.ifPresent(of -> {
          if (!of.state.equals("live")) {
            problems.add(name + " is made of dma-buf " + of.name + ", which is " + of.state);
          }
          if (slot.access != SlotAccess.BOTH
              && !slot.access.toString().equals(of.kind.toString())) {
            problems.add(only + "is made of dma-buf " + of.name + ", which is " + of.kind);
          }
        });
      }
      IoasMap map = maps[page];
      if (map != null) {
        if (kind == null) {
          problems.add("a map in the IOAS lies outside of all regions");
        } else if (kind == Kind.PRIVATE) {
          problems.add("private pages are mapped in the IOAS");
        }
        String name = "the map in the IOAS is of dma-buf ";
        map.of.ifPresent(of -> {
          if (!of.state.equals("live")) {
            problems.add(name + of.name + ", which is " + of.state);
          }
          if (of.kind == Kind.PRIVATE) {
            problems.add(name + of.name + ", which is private");
          }
        });
      }
      for (Slot waiting : waitingSlots) {
        if (waiting.first <= page && page <= waiting.last) {
          problems.add("slot " + waiting.number + " overlaps another");
        }
      }
      if (waitingMaps.stream().anyMatch(m -> m.first <= page && page <= m.last)) {
        problems.add("a map in the IOAS overlaps another");
      }
      return problems;
    }
  }

  @Property(tries = 200)
  void aFewPages(@ForAll long seed) {
    Model model = new Model(new Random(seed), 40);
    for (int i = 0; i < 120; i++) {
      model.step();
      model.checkRows();
      model.checkProblems();
    }
  }

  /** So many that the runs are in several chunks. */
  @Property(tries = 5)
  void manyPages(@ForAll long seed) {
    Model model = new Model(new Random(seed), 6000);
    for (int i = 0; i < 300; i++) {
      model.step();
      if (i % 10 == 9) {
        model.checkRows();
        model.checkProblems();
      }
    }
  }
}
