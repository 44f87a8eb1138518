package dev.iolite.tdi.host;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.Ledger;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A guest's memory, from guest-physical address 0 on, and which of its pages are private. The IOAS
 * maps the shared ones and no others, at the same addresses.
 *
 * <p>A page leaves the IOAS before it becomes private and enters it after it has become shared, so
 * there is never a stale alias. The IOAS cannot unmap a part of a map: the whole map is removed and
 * the rest is mapped again. In between, DMA to the rest faults.
 */
public final class GuestRam {
  private final Vm vm;
  private final Ioas ioas;
  private final Mapping memory;
  private final Ledger ledger;
  private final NavigableMap<Long, IovaMapping> mapped = new TreeMap<>();

  GuestRam(Vm vm, Ioas ioas, Mapping memory, Ledger ledger) {
    this.vm = vm;
    this.ioas = ioas;
    this.memory = memory;
    this.ledger = ledger;
  }

  /** Its length in bytes. */
  public long bytes() {
    return memory.bytes();
  }

  /** Its shared half, as mapped here; offset and GPA are the same. */
  public MemorySegment shared() {
    return memory.segment();
  }

  /** Whether it has these pages, and at least one. */
  public boolean has(long gpa, long bytes) {
    return gpa >= 0
        && bytes > 0
        && ((gpa | bytes) & (Page.BYTES - 1)) == 0
        && gpa <= memory.bytes()
        && bytes <= memory.bytes() - gpa;
  }

  /** Whether all of these bytes are shared: the IOAS holds exactly what is shared. */
  public boolean isShared(long gpa, long bytes) {
    if (gpa < 0 || bytes < 1 || gpa > memory.bytes() - bytes) {
      return false;
    }
    long at = gpa;
    for (IovaMapping one : overlapping(gpa, gpa + bytes)) {
      if (one.iova() > at) {
        return false;
      }
      at = one.iova() + one.bytes();
    }
    return at >= gpa + bytes;
  }

  /** Some of it, from one address up to another. */
  private record Span(long from, long to) {
    Span within(long first, long end) {
      return new Span(Math.max(from, first), Math.min(to, end));
    }
  }

  /** Whether its pages can be made private. */
  public boolean canConvert() {
    return vm.type() != VmType.DEFAULT;
  }

  /**
   * Makes pages private or shared. If the kernel refuses, they are restored. If it refuses that
   * too, what cannot be mapped again stays out of the IOAS.
   *
   * @throws KernelException what KVM or the IOAS said
   */
  public void convert(long gpa, long bytes, Kind kind) {
    if (kind == Kind.PRIVATE) {
      makePrivate(gpa, gpa + bytes);
    } else {
      makeShared(gpa, gpa + bytes);
    }
    ledger.convert(gpa, bytes, kind);
  }

  private void makePrivate(long from, long to) {
    List<Span> whole =
        overlapping(from, to).stream()
            .map(one -> new Span(one.iova(), one.iova() + one.bytes()))
            .toList();
    boolean asked = false;
    try {
      unmap(from, to);
      asked = true;
      vm.setPrivate(from, to - from, true);
    } catch (RuntimeException e) {
      for (Span one : whole) {
        Span part = one.within(from, to);
        again(e, () -> map(one.from, part.from));
        again(e, () -> map(part.to, one.to));
        boolean mayBePrivate = asked;
        again(
            e,
            () -> {
              if (mayBePrivate) {
                vm.setPrivate(part.from, part.to - part.from, false);
              }
              map(part.from, part.to);
            });
      }
      throw e;
    }
  }

  private void makeShared(long from, long to) {
    List<Span> gaps = gaps(from, to);
    try {
      vm.setPrivate(from, to - from, false);
      map(from, to);
    } catch (RuntimeException e) {
      // What cannot be removed from the IOAS again must stay shared.
      for (Span gap : gaps) {
        again(
            e,
            () -> {
              unmapAll(gap);
              vm.setPrivate(gap.from, gap.to - gap.from, true);
            });
      }
      throw e;
    }
  }

  private static void again(RuntimeException failure, Runnable undo) {
    try {
      undo.run();
    } catch (RuntimeException suppressed) {
      failure.addSuppressed(suppressed);
    }
  }

  /** Maps all of it. */
  void mapAll() {
    map(0, memory.bytes());
  }

  /** Maps those parts of a range that are not mapped yet. */
  private void map(long from, long to) {
    gaps(from, to).forEach(gap -> mapPiece(gap.from, gap.to));
  }

  /** Those parts of a range that are not mapped. */
  private List<Span> gaps(long from, long to) {
    List<Span> gaps = new ArrayList<>();
    long at = from;
    for (IovaMapping one : overlapping(from, to)) {
      if (at < one.iova()) {
        gaps.add(new Span(at, one.iova()));
      }
      at = one.iova() + one.bytes();
    }
    if (at < to) {
      gaps.add(new Span(at, to));
    }
    return gaps;
  }

  /** Unmaps what was a gap, of which none or only a part was mapped. */
  private void unmapAll(Span gap) {
    unmapInKernel(gap.from, gap.to);
    mapped.subMap(gap.from, gap.to).clear();
    ledger.unmapped(gap.from, gap.to - gap.from);
  }

  /** Unmaps a range, whether it is mapped or not. */
  private void unmapInKernel(long from, long to) {
    try {
      ioas.unmap(IovaRange.of(from, to - from));
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  private void mapPiece(long from, long to) {
    if (from >= to) {
      return;
    }
    IovaMapping made;
    try {
      made = ioas.map(from, memory.segment().asSlice(from, to - from), IovaAccess.READ_WRITE);
    } catch (KernelException e) {
      // The kernel may have made the map and failed to say so.
      again(e, () -> unmapInKernel(from, to));
      throw e;
    }
    mapped.put(from, made);
    ledger.mapped(from, to - from, Optional.empty());
  }

  private void unmap(long from, long to) {
    for (IovaMapping one : overlapping(from, to)) {
      long start = one.iova();
      long end = start + one.bytes();
      one.close();
      mapped.remove(start);
      ledger.unmapped(start, end - start);
      mapPiece(start, Math.min(from, end));
      mapPiece(Math.max(to, start), end);
    }
  }

  /** Takes all of it from the IOAS. */
  void unmapAll() {
    unmap(0, memory.bytes());
  }

  private List<IovaMapping> overlapping(long from, long to) {
    List<IovaMapping> found = new ArrayList<>();
    var before = mapped.lowerEntry(from);
    if (before != null && before.getKey() + before.getValue().bytes() > from) {
      found.add(before.getValue());
    }
    found.addAll(mapped.subMap(from, to).values());
    return found;
  }
}
