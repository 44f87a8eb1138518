package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice.Mapped;
import dev.iolite.mock.core.IommuDevice.Translation;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A page table that holds an address space (struct iommu_domain of a HWPT), as the IOMMU walks it.
 */
final class PageTable implements Translation {
  private final PagingDomain domain;
  private final IoPageTable space;
  private final DirtyPages dirty = new DirtyPages();
  private boolean isTracking;

  PageTable(PagingDomain domain, IoPageTable space) {
    this.domain = domain;
    this.space = space;
  }

  PagingDomain domain() {
    return domain;
  }

  long leastPage() {
    return Long.lowestOneBit(domain.pageSizes());
  }

  long firstIova() {
    return domain.firstIova();
  }

  long lastIova() {
    return domain.lastIova();
  }

  /** Whether it can map an area with the area's permissions. */
  boolean takes(Area area) {
    return area.writable || !domain.isWritableOnly();
  }

  /** Removes its entries in a range, and with them what was noted there. */
  void forget(long first, long last) {
    dirty.take(first, last, true, _ -> {});
  }

  DirtyPages dirty() {
    return dirty;
  }

  void setTracking(boolean on) {
    isTracking = on;
  }

  @Override
  public void read(long iova, MemorySegment into) {
    long total = into.byteSize();
    long done = 0;
    while (done < total) {
      long at = iova + done;
      Area area = reach(at, false);
      long count = count(area, at, total - done);
      area.pages.read(area.byteAt(at), into.asSlice(done, count));
      done += count;
    }
  }

  @Override
  public void write(long iova, MemorySegment from) {
    long total = from.byteSize();
    long done = 0;
    while (done < total) {
      long at = iova + done;
      Area area = reach(at, true);
      long count = count(area, at, total - done);
      area.pages.write(area.byteAt(at), from.asSlice(done, count));
      if (isTracking) {
        dirty.set(at, at + count - 1);
      }
      done += count;
    }
  }

  @Override
  public List<Mapped> mappings() {
    List<Mapped> mappings = new ArrayList<>();
    space.forEach(area -> {
      if (area.isFilled && !area.pages.isRevoked()) {
        String what = area.pages.what(area.startByte);
        mappings.add(new Mapped(area.first, area.last, area.readable, area.writable, what));
      }
    });
    return mappings;
  }

  private static long count(Area area, long at, long wanted) {
    long more = area.last - at;
    return Long.compareUnsigned(more, wanted - 1) < 0 ? more + 1 : wanted;
  }

  private Area reach(long iova, boolean write) {
    Area area = space.areas().at(iova);
    if (area == null || !area.isFilled) {
      throw new Memory.Unreachable("nothing is mapped at IOVA 0x" + Long.toHexString(iova));
    }
    if (write ? !area.writable : !area.readable) {
      throw new Memory.Unreachable(
          "IOVA 0x%x is not mapped for %s".formatted(iova, write ? "writing" : "reading"));
    }
    return area;
  }
}
