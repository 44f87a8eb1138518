package dev.iolite.tdi.ledger;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The facts of all pages in an address space of 2<sup>52</sup> bytes, as runs of pages with equal
 * facts.
 */
final class FactRuns {
  /** The last page. */
  static final long LAST_PAGE = (1L << 40) - 1;

  /** The facts of each run, by its first page; it ends where the next one begins. */
  private final TreeMap<Long, Facts> runs = new TreeMap<>(Map.of(0L, Facts.NONE));

  /** Receives runs. */
  interface Visitor {
    /** Receives a run from one page to another, inclusive. */
    void run(long first, long last, Facts facts);
  }

  /** The number of runs. */
  int size() {
    return runs.size();
  }

  /** The facts of a page. */
  Facts facts(long page) {
    return Optional.ofNullable(runs.floorEntry(page)).orElseThrow().getValue();
  }

  /** The last page of the run that contains a page. */
  long lastOfRun(long page) {
    return Optional.ofNullable(runs.higherKey(page)).map(next -> next - 1).orElse(LAST_PAGE);
  }

  /** Changes all pages of a range alike. */
  void update(long first, long last, UnaryOperator<Facts> change) {
    beginRun(first);
    if (last < LAST_PAGE) {
      beginRun(last + 1);
    }
    runs.subMap(first, true, last, true).replaceAll((_, facts) -> change.apply(facts));
    // Neighbours that have become equal become one run.
    Optional<Facts> before = first == 0 ? Optional.empty() : Optional.of(facts(first - 1));
    var touched = runs.subMap(first, true, last + 1, true).values().iterator();
    while (touched.hasNext()) {
      Optional<Facts> facts = Optional.of(touched.next());
      if (facts.equals(before)) {
        touched.remove();
      }
      before = facts;
    }
  }

  private void beginRun(long page) {
    runs.putIfAbsent(page, facts(page));
  }

  /** Visits all runs that overlap a range, clipped to it, in ascending order. */
  void forEach(long first, long last, Visitor visitor) {
    long end;
    for (long at = first; at <= last; at = end + 1) {
      end = lastOfRun(at);
      visitor.run(at, Math.min(end, last), facts(at));
    }
  }
}
