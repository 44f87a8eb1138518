package dev.iolite.tdi.layout;

import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.vfio.ByteRange;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * Which bytes of a BAR are private and which are shared. The runs are as long as possible, so the
 * kinds alternate; a run costs 8 bytes of memory here.
 */
public final class BarLayout {
  private final int bar;
  private final Kind first;

  /** Where each run ends. */
  private final long[] ends;

  private BarLayout(int bar, Kind first, long[] ends) {
    this.bar = bar;
    this.first = first;
    this.ends = ends;
  }

  /** A BAR that is shared as a whole. */
  static BarLayout shared(BarSize size) {
    return new BarLayout(size.bar(), Kind.SHARED, new long[] {size.bytes()});
  }

  /**
   * A BAR that is private in these ranges, and shared elsewhere.
   *
   * @param ranges the ranges, ascending and disjoint; they may touch
   * @param pageBytes the page size; a page has one kind
   * @throws MalformedLayoutException if a range is empty, out of order, overlapping or not in the
   *     BAR
   * @throws PreconditionException if a page would hold both kinds
   */
  static BarLayout withPrivate(BarSize size, List<ByteRange> ranges, long pageBytes) {
    long[] ends = new long[2 * ranges.size() + 1];
    int count = 0;
    long done = 0;
    for (ByteRange range : ranges) {
      if (range.bytes() <= 0
          || range.offset() < done
          || range.bytes() > size.bytes() - range.offset()) {
        throw new MalformedLayoutException(
            "%s: private range %s is empty, overlaps or precedes the one before it, or goes beyond"
                    .formatted(size, range)
                + " the BAR; ranges ascend, and lie in the BAR");
      }
      if (range.offset() > done) {
        ends[count++] = range.offset();
      } else if (count > 0) {
        count--;
      }
      done = range.offset() + range.bytes();
      ends[count++] = done;
    }
    boolean startsPrivate = !ranges.isEmpty() && ranges.getFirst().offset() == 0;
    if (done < size.bytes()) {
      ends[count++] = size.bytes();
    }
    BarLayout layout =
        new BarLayout(
            size.bar(), startsPrivate ? Kind.PRIVATE : Kind.SHARED, Arrays.copyOf(ends, count));
    layout.requireOneKindInPages(pageBytes);
    return layout;
  }

  private void requireOneKindInPages(long pageBytes) {
    for (int i = 0; i < ends.length - 1; i++) {
      long page = ends[i] & -pageBytes;
      if (page != ends[i]) {
        throw new PreconditionException(
            "laid out BAR %d in pages of %s".formatted(bar, ByteSize.text(pageBytes)),
            "the page at offset 0x%x would be %s up to 0x%x, and %s from there on"
                .formatted(page, kind(i), ends[i], kind(i + 1)),
            "a host whose pages are larger than those of 4 KiB that devices report",
            "use a host with pages of 4 KiB, or a device that keeps both kinds further apart");
      }
    }
  }

  /** The BAR's index, 0 to 5. */
  public int bar() {
    return bar;
  }

  /** The BAR's size in bytes. */
  public long bytes() {
    return ends[ends.length - 1];
  }

  /** The number of runs, at least 1. */
  public int runCount() {
    return ends.length;
  }

  /**
   * A run, counted from the start of the BAR.
   *
   * @throws IndexOutOfBoundsException if there are fewer
   */
  public Run run(int index) {
    Objects.checkIndex(index, ends.length);
    long start = index == 0 ? 0 : ends[index - 1];
    return new Run(start, ends[index] - start, kind(index));
  }

  private Kind kind(int index) {
    boolean isFirst = index % 2 == 0;
    return isFirst == (first == Kind.PRIVATE) ? Kind.PRIVATE : Kind.SHARED;
  }

  /** The runs in order, as a view that costs nothing. */
  public List<Run> runs() {
    return new View();
  }

  /** The index of the run that contains an offset. */
  public int indexAt(long offset) {
    if (offset < 0 || offset >= bytes()) {
      throw new IndexOutOfBoundsException(
          "offset 0x%x of BAR %d, which has 0x%x bytes".formatted(offset, bar, bytes()));
    }
    int found = Arrays.binarySearch(ends, offset);
    return found < 0 ? -found - 1 : found + 1;
  }

  /**
   * The kind of a byte.
   *
   * @param offset from the start of the BAR
   * @throws IndexOutOfBoundsException if it is outside the BAR
   */
  public Kind kindAt(long offset) {
    return kind(indexAt(offset));
  }

  /**
   * Whether all bytes of a range are of a kind.
   *
   * @param offset from the start of the BAR
   * @param bytes more than 0
   * @throws IndexOutOfBoundsException if the BAR does not have them all
   */
  public boolean isAll(Kind kind, long offset, long bytes) {
    return kindAt(offset) == kind && indexAt(offset) == indexAt(offset + bytes - 1);
  }

  /** Whether any of it is of a kind. */
  public boolean has(Kind kind) {
    return ends.length > 1 || first == kind;
  }

  /** How many bytes are of a kind. */
  public long bytes(Kind kind) {
    long bytes = 0;
    for (int i = kind == first ? 0 : 1; i < ends.length; i += 2) {
      bytes += run(i).bytes();
    }
    return bytes;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BarLayout that
        && bar == that.bar
        && first == that.first
        && Arrays.equals(ends, that.ends);
  }

  @Override
  public int hashCode() {
    return 31 * Objects.hash(bar, first) + Arrays.hashCode(ends);
  }

  /** For example {@code BAR 0 (16 KiB) in 3 runs, 12 KiB of it private}. */
  @Override
  public String toString() {
    return "%s in %d runs, %s of it private"
        .formatted(new BarSize(bar, bytes()), ends.length, ByteSize.text(bytes(Kind.PRIVATE)));
  }

  private final class View extends AbstractList<Run> implements RandomAccess {
    @Override
    public Run get(int index) {
      return run(index);
    }

    @Override
    public int size() {
      return ends.length;
    }
  }
}
