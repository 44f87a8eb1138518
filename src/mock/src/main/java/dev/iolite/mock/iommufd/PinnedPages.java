package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pin;
import dev.iolite.mock.core.Refused;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory whose pages are pinned while a page table or the kernel holds them
 * (pages.c:pfn_reader_fill_span). A pinned page is not looked up again: an area that maps it later
 * gets the same page, even if the caller has mapped something else there since.
 */
abstract class PinnedPages extends Pages {
  /** The held stretches in the order of their pages, without overlap. */
  private final List<Held> held = new ArrayList<>(1);

  PinnedPages(boolean writable) {
    super(writable);
  }

  /**
   * Pins pages that are not held.
   *
   * @throws Refused EFAULT or EINVAL
   */
  abstract Pin pin(long first, long last);

  /** A pin that several stretches of pages may share, after a stretch was cut. */
  private static final class Source {
    final Pin pin;
    final long firstPage;
    int users = 1;

    Source(Pin pin, long firstPage) {
      this.pin = pin;
      this.firstPage = firstPage;
    }

    void put() {
      if (--users == 0) {
        pin.release();
      }
    }
  }

  /** A stretch of pages that the same areas hold. */
  private static final class Held {
    final long first;
    final long last;
    final Source source;
    int users;

    Held(long first, long last, Source source, int users) {
      this.first = first;
      this.last = last;
      this.source = source;
      this.users = users;
    }
  }

  @Override
  void hold(long first, long last) {
    if (held.isEmpty()) {
      held.add(new Held(first, last, new Source(pin(first, last), first), 1));
      return;
    }
    List<Held> added = pinHoles(first, last);
    cutBefore(first);
    cutBefore(last + 1);
    for (int i = find(first); i < held.size() && held.get(i).first <= last; i++) {
      held.get(i).users++;
    }
    held.addAll(added);
    held.sort((a, b) -> Long.compare(a.first, b.first));
  }

  private List<Held> pinHoles(long first, long last) {
    List<Held> added = new ArrayList<>();
    try {
      long next = first;
      for (int i = find(first); next <= last; i++) {
        long end = i < held.size() ? Math.min(held.get(i).first - 1, last) : last;
        if (next <= end) {
          added.add(new Held(next, end, new Source(pin(next, end), next), 1));
        }
        next = i < held.size() ? held.get(i).last + 1 : last + 1;
      }
      return added;
    } catch (Refused e) {
      added.forEach(hold -> hold.source.put());
      throw e;
    }
  }

  /** Cuts a stretch before a page that is in the middle of it. */
  private void cutBefore(long page) {
    int i = find(page);
    if (i < held.size() && held.get(i).first < page) {
      Held whole = held.get(i);
      whole.source.users++;
      held.set(i, new Held(whole.first, page - 1, whole.source, whole.users));
      held.add(i + 1, new Held(page, whole.last, whole.source, whole.users));
    }
  }

  /** The index of the stretch that contains a page, or before which the page would be. */
  private int find(long page) {
    int low = 0;
    int high = held.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (held.get(middle).last < page) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  void drop(long first, long last) {
    int i = find(first);
    while (i < held.size() && held.get(i).last <= last) {
      Held one = held.get(i);
      if (--one.users == 0) {
        held.remove(i);
        one.source.put();
      } else {
        i++;
      }
    }
  }

  @Override
  void read(long at, MemorySegment into) {
    long done = 0;
    while (done < into.byteSize()) {
      Held one = heldAt(at + done);
      long count = Math.min(into.byteSize() - done, (one.last + 1) * Page.BYTES - (at + done));
      one.source.pin.read(at + done - one.source.firstPage * Page.BYTES, into.asSlice(done, count));
      done += count;
    }
  }

  @Override
  void write(long at, MemorySegment from) {
    long done = 0;
    while (done < from.byteSize()) {
      Held one = heldAt(at + done);
      long count = Math.min(from.byteSize() - done, (one.last + 1) * Page.BYTES - (at + done));
      one.source.pin.write(
          at + done - one.source.firstPage * Page.BYTES, from.asSlice(done, count));
      done += count;
    }
  }

  private Held heldAt(long at) {
    int i = find(at / Page.BYTES);
    if (i == held.size() || held.get(i).first > at / Page.BYTES) {
      throw new Memory.Unreachable("no page table holds the page");
    }
    return held.get(i);
  }

  /** Whether these pages lie in one piece of memory: what the kernel means by contiguous. */
  boolean isContiguous(long first, long last) {
    return heldAt(first * Page.BYTES).source == heldAt(last * Page.BYTES).source;
  }
}
