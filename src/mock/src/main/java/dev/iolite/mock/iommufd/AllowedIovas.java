package dev.iolite.mock.iommufd;

import static java.lang.Long.compareUnsigned;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Ranges of IOVA that must stay mappable, both ends included. They do not overlap. */
final class AllowedIovas {
  private final NavigableMap<Long, Long> lastByFirst = new TreeMap<>(Long::compareUnsigned);

  /** A range. */
  record Span(long first, long last) {}

  boolean isEmpty() {
    return lastByFirst.isEmpty();
  }

  boolean overlaps(long first, long last) {
    Map.Entry<Long, Long> before = lastByFirst.floorEntry(last);
    return before != null && compareUnsigned(before.getValue(), first) >= 0;
  }

  /** Adds a range, which must not overlap any other. */
  void add(long first, long last) {
    lastByFirst.put(first, last);
  }

  /**
   * The parts of a range that are in them, with adjacent parts merged (lib/interval_tree.c, used
   * spans).
   */
  List<Span> within(long first, long last) {
    List<Span> spans = new ArrayList<>();
    for (Map.Entry<Long, Long> range : lastByFirst.entrySet()) {
      long from = max(range.getKey(), first);
      long to = min(range.getValue(), last);
      if (compareUnsigned(from, to) > 0) {
        continue;
      }
      if (!spans.isEmpty() && spans.getLast().last + 1 == from) {
        from = spans.removeLast().first;
      }
      spans.add(new Span(from, to));
    }
    return spans;
  }

  /** All of them, in order. */
  List<Span> all() {
    List<Span> spans = new ArrayList<>();
    lastByFirst.forEach((first, last) -> spans.add(new Span(first, last)));
    return spans;
  }

  private static long max(long a, long b) {
    return compareUnsigned(a, b) < 0 ? b : a;
  }

  private static long min(long a, long b) {
    return compareUnsigned(a, b) < 0 ? a : b;
  }
}
