package dev.iolite.tdi.ledger;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * The facts of all pages of an address space of 2<sup>52</sup> bytes, as runs of equal ones. A run
 * costs 12 bytes. They are kept in chunks of at most 512: a change searches for its chunk, which
 * takes the logarithm of the number of runs, and writes the chunks anew that it touches.
 */
final class FactRuns {
  /** The last page. */
  static final long LAST_PAGE = (1L << 40) - 1;

  private static final int MOST = 512;
  private static final int PAGE_BITS = 40;
  private static final int FACT_BITS = Long.SIZE - PAGE_BITS;

  /** What a change makes of the facts, page by page upwards. */
  interface Change {
    /** The last page from this one on of which {@link #apply} answers the same. */
    long last(long page);

    /** The new facts of a page. */
    long apply(long page, long facts);
  }

  /** What is told of a run. */
  interface Visitor {
    /** A run from one page to another, which belongs to it. */
    void run(long first, long last, long facts);
  }

  /** Runs by their last pages (40 bits) and the facts of each (24 bits here, 32 in the other). */
  private static final class Chunk {
    private final long[] words;
    private final int[] dmaBufs;

    Chunk(int size) {
      words = new long[size];
      dmaBufs = new int[size];
    }

    int size() {
      return words.length;
    }

    long last(int index) {
      return words[index] & LAST_PAGE;
    }

    long last() {
      return last(words.length - 1);
    }

    long facts(int index) {
      return (words[index] >>> PAGE_BITS) | (Integer.toUnsignedLong(dmaBufs[index]) << FACT_BITS);
    }
  }

  private final List<Chunk> chunks = new ArrayList<>();

  FactRuns() {
    Rebuilt nothing = new Rebuilt(1);
    nothing.add(LAST_PAGE, Facts.NONE);
    chunks.addAll(nothing.chunks());
  }

  /** How many runs there are. */
  int size() {
    return chunks.stream().mapToInt(Chunk::size).sum();
  }

  /** How many bytes the arrays of the runs have, without what Java adds to each array. */
  long arrayBytes() {
    return chunks.stream()
        .mapToLong(chunk ->
            (long) chunk.words.length * Long.BYTES + (long) chunk.dmaBufs.length * Integer.BYTES)
        .sum();
  }

  /** How many arrays there are. */
  int arrays() {
    return 2 * chunks.size();
  }

  /** The index of the chunk that has a page. */
  private int chunk(long page) {
    int low = 0;
    int high = chunks.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (chunks.get(middle).last() < page) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private long firstPage(int chunk) {
    return chunk == 0 ? 0 : chunks.get(chunk - 1).last() + 1;
  }

  /** Changes all pages of a range alike. */
  void update(long first, long last, LongUnaryOperator change) {
    update(
        first,
        last,
        new Change() {
          @Override
          public long last(long page) {
            return last;
          }

          @Override
          public long apply(long page, long facts) {
            return change.applyAsLong(facts);
          }
        });
  }

  /** Changes the pages of a range. */
  void update(long first, long last, Change change) {
    int from = chunk(Math.max(first - 1, 0));
    int to = chunk(Math.min(last + 1, LAST_PAGE));
    int runs = chunks.subList(from, to + 1).stream().mapToInt(Chunk::size).sum();
    if (runs < MOST / 2 && to + 1 < chunks.size()) {
      to++;
    } else if (runs < MOST / 2 && from > 0) {
      from--;
    }
    Rebuilt rebuilt = new Rebuilt(runs + 2);
    long start = firstPage(from);
    for (Chunk chunk : chunks.subList(from, to + 1)) {
      for (int i = 0; i < chunk.size(); i++) {
        long end = chunk.last(i);
        rebuilt.add(start, end, chunk.facts(i), first, last, change);
        start = end + 1;
      }
    }
    List<Chunk> replaced = chunks.subList(from, to + 1);
    replaced.clear();
    replaced.addAll(rebuilt.chunks());
  }

  /** Tells of all runs that have pages of a range, cut to it, upwards. */
  void forEach(long first, long last, Visitor visitor) {
    int at = chunk(first);
    long start = firstPage(at);
    for (; at < chunks.size() && start <= last; at++) {
      Chunk chunk = chunks.get(at);
      for (int i = 0; i < chunk.size() && start <= last; i++) {
        long end = chunk.last(i);
        if (end >= first) {
          visitor.run(Math.max(start, first), Math.min(end, last), chunk.facts(i));
        }
        start = end + 1;
      }
    }
  }

  /** The facts of a page. */
  long facts(long page) {
    Chunk chunk = chunks.get(chunk(page));
    return chunk.facts(index(chunk, page));
  }

  /** The last page of the run that has a page. */
  long lastOfRun(long page) {
    Chunk chunk = chunks.get(chunk(page));
    return chunk.last(index(chunk, page));
  }

  private static int index(Chunk chunk, long page) {
    int low = 0;
    int high = chunk.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (chunk.last(middle) < page) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Runs that replace others: neighbours with equal facts become one. */
  private static final class Rebuilt {
    private long[] lasts;
    private long[] facts;
    private int size;

    Rebuilt(int expected) {
      lasts = new long[expected];
      facts = new long[expected];
    }

    /** Adds a run, changed where it is in a range. */
    void add(long start, long end, long old, long first, long last, Change change) {
      if (start < first) {
        add(Math.min(end, first - 1), old);
      }
      long stop = Math.min(end, last);
      for (long at = Math.max(start, first); at <= stop; ) {
        long until = Math.min(stop, change.last(at));
        add(until, change.apply(at, old));
        at = until + 1;
      }
      if (end > last) {
        add(end, old);
      }
    }

    void add(long last, long ofRun) {
      if (size > 0 && facts[size - 1] == ofRun) {
        lasts[size - 1] = last;
        return;
      }
      if (size == lasts.length) {
        lasts = Arrays.copyOf(lasts, 2 * size);
        facts = Arrays.copyOf(facts, 2 * size);
      }
      lasts[size] = last;
      facts[size++] = ofRun;
    }

    List<Chunk> chunks() {
      int count = (size + MOST - 1) / MOST;
      List<Chunk> chunks = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        chunks.add(chunk((int) ((long) size * i / count), (int) ((long) size * (i + 1) / count)));
      }
      return chunks;
    }

    private Chunk chunk(int from, int to) {
      Chunk chunk = new Chunk(to - from);
      for (int i = from; i < to; i++) {
        chunk.words[i - from] = lasts[i] | (facts[i] << PAGE_BITS);
        chunk.dmaBufs[i - from] = (int) (facts[i] >>> FACT_BITS);
      }
      return chunk;
    }
  }
}
