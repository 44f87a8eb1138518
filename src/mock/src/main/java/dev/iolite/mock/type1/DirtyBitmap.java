package dev.iolite.mock.type1;

import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The dirty pages of a mapping, and how they get into the caller's bitmap (vfio_dma_bitmap_alloc,
 * update_user_bitmap).
 */
final class DirtyBitmap {
  /** DIRTY_BITMAP_PAGES_MAX. */
  static final long MOST_PAGES = Integer.MAX_VALUE;

  private final long[] words;
  private final int pages;

  /**
   * Makes a bitmap without dirty pages. It has one word more than its pages need, for a shift.
   *
   * @param pages at most {@link #MOST_PAGES}
   */
  DirtyBitmap(long pages) {
    this.pages = (int) pages;
    words = new long[(int) (bytes(pages) / Long.BYTES) + 1];
  }

  /** DIRTY_BITMAP_BYTES. */
  static long bytes(long pages) {
    return ((pages + Long.SIZE - 1) & -Long.SIZE) >>> 3;
  }

  /**
   * Writes it into the caller's bitmap, all pages dirty: a group whose device writes to memory by
   * itself is in the container, and the IOMMU does not tell what it wrote.
   *
   * <p>Where it begins inside a word, the word's previous content is kept. As in the kernel, the
   * bits that the shift moves beyond the last page stay there.
   *
   * @param page the index of its first page in the caller's bitmap
   * @throws dev.iolite.mock.core.Refused EFAULT
   */
  void give(Task task, long userBitmap, long page) {
    setAll();
    long address = userBitmap + page / Long.SIZE * Long.BYTES;
    int shift = (int) (page % Long.SIZE);
    if (shift != 0) {
      shiftLeft(shift);
      words[0] |= task.in(address, Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
    }
    MemorySegment out = MemorySegment.ofArray(words).asSlice(0, bytes((long) pages + shift));
    task.out(address, out);
    clearAll();
  }

  private void setAll() {
    change(true);
  }

  private void clearAll() {
    change(false);
  }

  private void change(boolean dirty) {
    for (int page = 0; page < pages; page += Long.SIZE) {
      long bits = pages - page >= Long.SIZE ? -1 : (1L << (pages - page)) - 1;
      int word = page / Long.SIZE;
      words[word] = dirty ? words[word] | bits : words[word] & ~bits;
    }
  }

  private void shiftLeft(int shift) {
    for (int i = words.length - 1; i >= 0; i--) {
      words[i] = words[i] << shift | (i == 0 ? 0 : words[i - 1] >>> (Long.SIZE - shift));
    }
  }
}
