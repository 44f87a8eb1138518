package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * An address space of devices (struct io_pagetable): what is mapped at which IOVA, what must not be
 * mapped, and the page tables that are kept in sync with it.
 *
 * <p>All page tables of an address space have the same content, so they share its areas.
 */
final class IoPageTable {
  private final AreaTree areas = new AreaTree();
  private final Reservations reserved = new Reservations();
  private final List<PageTable> tables = new ArrayList<>();
  private AllowedIovas allowed = new AllowedIovas();
  private boolean isWithoutHugePages;
  private int accesses;
  private long unmappedBytes;
  private long alignment = 1;

  /** The alignment of IOVAs, lengths and offsets, in bytes. */
  long alignment() {
    return alignment;
  }

  AreaTree areas() {
    return areas;
  }

  Reservations reserved() {
    return reserved;
  }

  boolean isWithoutHugePages() {
    return isWithoutHugePages;
  }

  /** The page tables that are filled with it. */
  List<PageTable> tables() {
    return tables;
  }

  /** What is mapped, by IOVA, such as {@code IOVA 0x1000-0x1fff}. */
  List<String> mapped() {
    List<String> ranges = new ArrayList<>();
    for (Area area = areas.firstIn(0, -1); area != null; area = areas.after(area)) {
      ranges.add("IOVA 0x%x-0x%x".formatted(area.first, area.last));
    }
    return ranges;
  }

  /** The wanted properties of a mapping. */
  record Wish(boolean readable, boolean writable, boolean automatic) {}

  /**
   * Maps pieces one after the other (io_pagetable.c:iopt_map_pages). The areas take over the
   * pieces' references; if this fails, they are released.
   *
   * @param bytes the sum of the pieces
   * @param iova where to map them; ignored if a free IOVA is to be found
   * @return the IOVA
   * @throws Refused EINVAL, EOVERFLOW, EEXIST, ENOSPC, EPERM, EFAULT
   */
  long map(List<Piece> pieces, long bytes, long iova, Wish wish) {
    int inserted = 0;
    long at = iova;
    try {
      at = choose(pieces.getFirst(), bytes, iova, wish.automatic);
      long next = at;
      for (Piece piece : pieces) {
        areas.insert(area(piece, next, wish));
        inserted++;
        next += piece.bytes();
      }
      fill(pieces, at);
      return at;
    } catch (Refused e) {
      removeAreas(at, inserted);
      pieces.forEach(piece -> piece.pages().put());
      throw e;
    }
  }

  /** io_pagetable.c:iopt_alloc_area_pages. */
  private long choose(Piece first, long bytes, long iova, boolean automatic) {
    refuseIf((bytes & (alignment - 1)) != 0 || bytes == 0, Errno.EINVAL);
    if (automatic) {
      long origin = first.pages().origin() + first.startByte();
      return IovaAllocator.find(areas, reserved, allowed, alignment, origin, bytes);
    }
    refuseIf((iova & (alignment - 1)) != 0, Errno.EINVAL);
    long last = iova + bytes - 1;
    refuseIf(compareUnsigned(last, iova) < 0, Errno.EOVERFLOW);
    refuseIf(reserved.overlaps(iova, last), Errno.EINVAL);
    refuseIf(areas.firstIn(iova, last) != null, Errno.EEXIST);
    return iova;
  }

  /** io_pagetable.c:iopt_insert_area. */
  private Area area(Piece piece, long iova, Wish wish) {
    refuseIf(wish.writable && !piece.pages().isWritable(), Errno.EPERM);
    refuseIf((piece.startByte() & (Page.BYTES - 1) & (alignment - 1)) != 0, Errno.EINVAL);
    long last = iova + piece.bytes() - 1;
    refuseIf(compareUnsigned(last, iova) < 0, Errno.EOVERFLOW);
    return new Area(iova, last, piece.pages(), piece.startByte(), wish.readable, wish.writable);
  }

  /** io_pagetable.c:iopt_fill_domains_pages. */
  private void fill(List<Piece> pieces, long iova) {
    if (tables.isEmpty()) {
      return;
    }
    Area area = areas.at(iova);
    for (int i = 0; i < pieces.size() && area != null; i++) {
      fill(area);
      area = areas.after(area);
    }
  }

  private void fill(Area area) {
    area.fill();
    if (!area.pages.isRevoked()) {
      for (PageTable table : tables) {
        if (!table.takes(area)) {
          area.unfill();
          throw refused(Errno.EINVAL);
        }
      }
    }
  }

  /** Undoes what {@link #map} has done so far. */
  private void removeAreas(long iova, int count) {
    for (int i = 0; i < count; i++) {
      Area area = areas.firstIn(iova, -1);
      if (area != null) {
        area.unfill();
        areas.remove(area);
      }
    }
  }

  /**
   * What is mapped in a range that has no holes, for a copy (io_pagetable.c:iopt_get_pages).
   *
   * @return pieces with their own references
   * @throws Refused EINVAL, EOVERFLOW, ENOENT
   */
  List<Piece> pieces(long iova, long bytes) {
    refuseIf(bytes == 0, Errno.EINVAL);
    long last = iova + bytes - 1;
    refuseIf(compareUnsigned(last, iova) < 0, Errno.EOVERFLOW);
    List<Piece> pieces = new ArrayList<>();
    forEachIn(
        iova,
        last,
        (area, from, to) -> pieces.add(new Piece(area.pages, area.byteAt(from), to - from + 1)));
    pieces.forEach(piece -> piece.pages().get());
    return pieces;
  }

  /** An action on the part of an area that is in a range. */
  @FunctionalInterface
  interface Visit {
    void area(Area area, long from, long to);
  }

  /**
   * Visits the areas of a range (io_pagetable.c:iopt_area_contig_next), up to the first hole.
   *
   * @throws Refused ENOENT if there is a hole
   */
  void forEachIn(long first, long last, Visit visit) {
    long from = first;
    while (true) {
      Area area = areas.at(from);
      if (area == null) {
        throw refused(Errno.ENOENT);
      }
      boolean isEnd = compareUnsigned(area.last, last) >= 0;
      visit.area(area, from, isEnd ? last : area.last);
      if (isEnd) {
        return;
      }
      from = area.last + 1;
    }
  }

  /** Visits every area, in the order of the IOVAs. */
  void forEach(Consumer<Area> visit) {
    for (Area area = areas.firstIn(0, -1); area != null; area = areas.after(area)) {
      visit.accept(area);
    }
  }

  /**
   * Unmaps the whole areas of a range (io_pagetable.c:iopt_unmap_iova_range).
   *
   * @return their total size, in bytes
   * @throws Refused EBUSY, ENOENT: an area extends beyond the range; those before it are already
   *     unmapped, and {@link #unmappedBytes} returns their size
   */
  long unmap(long first, long last) {
    long from = first;
    unmappedBytes = 0;
    for (Area area = areas.firstIn(from, last); area != null; area = areas.firstIn(from, last)) {
      refuseIf(area.locks != 0, Errno.EBUSY);
      refuseIf(
          compareUnsigned(area.first, from) < 0 || compareUnsigned(area.last, last) > 0,
          Errno.ENOENT);
      areas.remove(area);
      for (PageTable table : tables) {
        table.forget(area.first, area.last);
      }
      area.unfill();
      area.pages.put();
      unmappedBytes += area.bytes();
      if (area.last == last) {
        break;
      }
      from = area.last + 1;
    }
    return unmappedBytes;
  }

  /** How many bytes the last {@link #unmap} has unmapped, even if it was refused. */
  long unmappedBytes() {
    return unmappedBytes;
  }

  /**
   * io_pagetable.c:iopt_set_allow_iova.
   *
   * @throws Refused EADDRINUSE: one of them is reserved
   */
  void allow(AllowedIovas ranges) {
    for (AllowedIovas.Span span : ranges.all()) {
      refuseIf(reserved.overlaps(span.first(), span.last()), Errno.EADDRINUSE);
    }
    allowed = ranges;
  }

  /**
   * io_pagetable.c:iopt_reserve_iova.
   *
   * @throws Refused EADDRINUSE: something is mapped there, or must stay mappable
   */
  void reserve(long first, long last, Object owner) {
    refuseIf(areas.firstIn(first, last) != null || allowed.overlaps(first, last), Errno.EADDRINUSE);
    reserved.add(first, last, owner);
  }

  /**
   * Keeps a page table filled from now on (io_pagetable.c:iopt_table_add_domain).
   *
   * @throws Refused EINVAL, EADDRINUSE, EFAULT; then nothing has changed
   */
  void add(PageTable table) {
    long needed = Math.max(table.leastPage(), alignment);
    refuseIf(needed > Page.BYTES, Errno.EINVAL);
    if (needed != alignment) {
      requireAligned(needed);
    }
    List<Area> filled = new ArrayList<>();
    try {
      if (table.firstIova() != 0) {
        reserve(0, table.firstIova() - 1, table);
      }
      if (table.lastIova() != -1) {
        reserve(table.lastIova() + 1, -1, table);
      }
      forEach(area -> fill(area, table, filled));
    } catch (Refused e) {
      filled.forEach(Area::unfill);
      reserved.remove(table);
      throw e;
    }
    alignment = needed;
    tables.add(table);
  }

  /** io_pagetable.c:iopt_fill_domain, for one area; the first table pins. */
  private void fill(Area area, PageTable table, List<Area> filled) {
    if (!area.isFilled) {
      area.fill();
      filled.add(area);
    }
    refuseIf(!area.pages.isRevoked() && !table.takes(area), Errno.EINVAL);
  }

  /** Stops filling a page table (io_pagetable.c:iopt_table_remove_domain). */
  void remove(PageTable table) {
    tables.remove(table);
    if (tables.isEmpty()) {
      forEach(Area::unfill);
    }
    reserved.remove(table);
    alignment = neededAlignment();
  }

  /** io_pagetable.c:iopt_calculate_iova_alignment. */
  private long neededAlignment() {
    long needed = isWithoutHugePages || accesses > 0 ? Page.BYTES : 1;
    for (PageTable table : tables) {
      needed = Math.max(needed, table.leastPage());
    }
    return needed;
  }

  /** io_pagetable.c:iopt_check_iova_alignment. */
  private void requireAligned(long needed) {
    forEach(area -> {
      long bits = area.first | area.bytes() | (area.startByte & (Page.BYTES - 1));
      refuseIf((bits & (needed - 1)) != 0, Errno.EADDRINUSE);
    });
  }

  private void recalculateAlignment() {
    long needed = neededAlignment();
    if (needed > alignment) {
      requireAligned(needed);
    }
    alignment = needed;
  }

  /** io_pagetable.c:iopt_enable_large_pages. */
  void enableHugePages() {
    isWithoutHugePages = false;
    recalculateAlignment();
  }

  /**
   * io_pagetable.c:iopt_disable_large_pages.
   *
   * @throws Refused EINVAL, EADDRINUSE
   */
  void disableHugePages() {
    if (isWithoutHugePages) {
      return;
    }
    refuseIf(!tables.isEmpty() && !areas.isEmpty(), Errno.EINVAL);
    isWithoutHugePages = true;
    try {
      recalculateAlignment();
    } catch (Refused e) {
      isWithoutHugePages = false;
      throw e;
    }
  }

  /**
   * Notes that the kernel itself will use what is mapped, in pages
   * (io_pagetable.c:iopt_add_access).
   *
   * @throws Refused EADDRINUSE
   */
  void addAccess() {
    accesses++;
    try {
      recalculateAlignment();
    } catch (Refused e) {
      accesses--;
      throw e;
    }
  }

  /** io_pagetable.c:iopt_remove_access. */
  void removeAccess() {
    accesses--;
    recalculateAlignment();
  }
}
