package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/** The pages of IOVA that were written: the dirty bits of page table entries, all for 4 KiB. */
final class DirtyPages {
  private static final int WORD_SHIFT = 6;

  /** Words for 64 pages each, by their index; none is 0. */
  private final NavigableMap<Long, Long> words = new TreeMap<>();

  /** Notes the pages of a range. */
  void set(long first, long last) {
    for (long page = first >>> Page.SHIFT; page <= last >>> Page.SHIFT; page++) {
      words.merge(page >>> WORD_SHIFT, 1L << page, (a, b) -> a | b);
    }
  }

  /**
   * Reports the noted pages of a range.
   *
   * @param clear whether their records are cleared
   * @param each receives the IOVA of each page
   */
  void take(long first, long last, boolean clear, LongConsumer each) {
    if (words.isEmpty()) {
      return;
    }
    long firstPage = first >>> Page.SHIFT;
    long lastPage = last >>> Page.SHIFT;
    var in = words.subMap(firstPage >>> WORD_SHIFT, true, lastPage >>> WORD_SHIFT, true);
    for (var entries = in.entrySet().iterator(); entries.hasNext(); ) {
      Map.Entry<Long, Long> word = entries.next();
      long base = word.getKey() << WORD_SHIFT;
      long kept = word.getValue();
      for (long bits = kept; bits != 0; bits &= bits - 1) {
        long page = base + Long.numberOfTrailingZeros(bits);
        if (page >= firstPage && page <= lastPage) {
          each.accept(page << Page.SHIFT);
          kept &= ~Long.lowestOneBit(bits);
        }
      }
      if (!clear) {
        continue;
      }
      if (kept == 0) {
        entries.remove();
      } else {
        word.setValue(kept);
      }
    }
  }
}
