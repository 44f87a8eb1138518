package dev.iolite.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Which pages of a range of addresses were written: a bit for each, as the kernel fills it in.
 *
 * <p>It is made once and filled again and again; reading it allocates nothing. Every call that
 * fills it sets bits and clears none, so that what several sources report adds up: {@link #clear}
 * it in between.
 *
 * <p>Safe for use by several threads, except that no thread may read it while another has it filled
 * or cleared.
 */
public final class DirtyBitmap implements AutoCloseable {
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Arena arena = Arena.ofShared();
  private final long first;
  private final long pages;
  private final int pageShift;
  private final MemorySegment bits;

  /**
   * Makes a bitmap without dirty pages.
   *
   * @param first the first address, unsigned, a multiple of the page size
   * @param bytes the length of the range, a multiple of the page size, more than 0
   * @param pageBytes what a bit stands for, a power of two
   */
  public DirtyBitmap(long first, long bytes, long pageBytes) {
    if (Long.bitCount(pageBytes) != 1) {
      throw new IllegalArgumentException("a page of 0x%x bytes".formatted(pageBytes));
    }
    if (bytes <= 0 || (bytes | first) % pageBytes != 0) {
      throw new IllegalArgumentException(
          "0x%x bytes from 0x%x are not pages of 0x%x bytes".formatted(bytes, first, pageBytes));
    }
    this.first = first;
    this.pageShift = Long.numberOfTrailingZeros(pageBytes);
    this.pages = bytes >> pageShift;
    this.bits = arena.allocate(Math.ceilDiv(pages, Long.SIZE) * Long.BYTES, Long.BYTES);
  }

  /** The first address, unsigned. */
  public long first() {
    return first;
  }

  /** The length of the range. */
  public long bytes() {
    return pages << pageShift;
  }

  /** What a bit stands for. */
  public long pageBytes() {
    return 1L << pageShift;
  }

  /** The number of pages. */
  public long pages() {
    return pages;
  }

  /** The bits, to be filled by the kernel: page 0 is the lowest bit of the first 64-bit word. */
  public MemorySegment bits() {
    return bits;
  }

  /**
   * Whether a page was written.
   *
   * @param page its index, below {@link #pages}
   */
  public boolean isDirty(long page) {
    return nextDirty(page) == page;
  }

  /**
   * The index of the next page that was written.
   *
   * @param from where to begin, this index included
   * @return -1 if there is none
   */
  public long nextDirty(long from) {
    if (from < 0) {
      throw new IndexOutOfBoundsException("page " + from);
    }
    if (from >= pages) {
      return -1;
    }
    long word = from / Long.SIZE;
    long set = word(word) & -1L << from;
    while (set == 0) {
      if (++word * Long.SIZE >= pages) {
        return -1;
      }
      set = word(word);
    }
    long found = word * Long.SIZE + Long.numberOfTrailingZeros(set);
    return found < pages ? found : -1;
  }

  private long word(long index) {
    return bits.get(WORD, index * Long.BYTES);
  }

  /** The address of a page, unsigned. */
  public long address(long page) {
    return first + (page << pageShift);
  }

  /** How many pages were written. */
  public long count() {
    long count = 0;
    for (long page = nextDirty(0); page >= 0; page = nextDirty(page + 1)) {
      count++;
    }
    return count;
  }

  /**
   * Sets the bits that are set elsewhere.
   *
   * @param words as many bits as {@link #bits} has, in the same order
   */
  public void add(MemorySegment words) {
    for (long at = 0; at < bits.byteSize(); at += Long.BYTES) {
      bits.set(WORD, at, bits.get(WORD, at) | words.get(WORD, at));
    }
  }

  /** Forgets what was written. */
  public void clear() {
    bits.fill((byte) 0);
  }

  /**
   * Frees the memory.
   *
   * @throws IllegalStateException if the kernel is filling it
   */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    return "pages of 0x%x bytes, 0x%x-0x%x".formatted(pageBytes(), first, first + bytes() - 1);
  }
}
