package dev.iolite.tdi.plan;

import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.MmioLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** The guest addresses of a layout's BARs: page-aligned and not overlapping. */
final class Places {
  private static final long SMALLEST_HUGE = 2L << 20;
  private static final long LARGEST_HUGE = 1L << 30;

  private final Map<Integer, Long> gpas;
  private final List<String> remarks = new ArrayList<>();

  Places(MmioLayout layout, Map<Integer, Long> gpas) {
    this.gpas = Map.copyOf(gpas);
    NavigableMap<Long, BarLayout> byAddress = new TreeMap<>(Long::compareUnsigned);
    for (BarLayout bar : layout.bars()) {
      gpa(bar)
          .ifPresent(gpa -> {
            requirePlace(bar, gpa, layout.pageBytes());
            requireFree(byAddress, bar, gpa);
            remarkHugePages(bar, gpa);
          });
    }
  }

  /** The first guest-physical address of a BAR; empty if the guest does not have it. */
  Optional<Long> gpa(BarLayout bar) {
    return Optional.ofNullable(gpas.get(bar.bar()));
  }

  /** What should be known about the places. */
  List<String> remarks() {
    return remarks;
  }

  private static void requirePlace(BarLayout bar, long gpa, long pageBytes) {
    boolean wraps = Long.compareUnsigned(gpa + bar.bytes() - 1, gpa) < 0;
    if (wraps || gpa % pageBytes != 0) {
      throw new PreconditionException(
          "planned " + text(bar, gpa),
          wraps
              ? "it would end beyond the 64 bits of an address"
              : "that is no multiple of the page size, 0x%x".formatted(pageBytes),
          "the guest wrote an address that its BAR can't have, or the option has a slip in it",
          "give the BAR a multiple of its size");
    }
  }

  private static void requireFree(NavigableMap<Long, BarLayout> taken, BarLayout bar, long gpa) {
    Optional<Map.Entry<Long, BarLayout>> below = Optional.ofNullable(taken.floorEntry(gpa));
    Optional<Map.Entry<Long, BarLayout>> above = Optional.ofNullable(taken.ceilingEntry(gpa));
    Optional<Map.Entry<Long, BarLayout>> other =
        below
            .filter(
                entry -> Long.compareUnsigned(gpa - entry.getKey(), entry.getValue().bytes()) < 0)
            .or(() -> above.filter(e -> Long.compareUnsigned(e.getKey() - gpa, bar.bytes()) < 0));
    other.ifPresent(entry -> {
      throw new PreconditionException(
          "planned " + text(bar, gpa),
          "it would overlap " + text(entry.getValue(), entry.getKey()),
          "the guest is in the midst of giving its BARs addresses, or an option has a slip in it",
          "give the BARs ranges of their own");
    });
    taken.put(gpa, bar);
  }

  /** A huge page needs an address and an offset in the BAR that are congruent modulo its size. */
  private void remarkHugePages(BarLayout bar, long gpa) {
    long wanted = Math.min(Long.highestOneBit(bar.bytes()), LARGEST_HUGE);
    if (wanted >= SMALLEST_HUGE && gpa % wanted != 0) {
      remarks.add(
          "%s is no multiple of %s, so neither the CPU's nor the IOMMU's page tables can use pages"
                  .formatted(text(bar, gpa), ByteSize.text(wanted))
              + " of more than "
              + ByteSize.text(Long.lowestOneBit(gpa))
              + " for it.");
    }
  }

  private static String text(BarLayout bar, long gpa) {
    return "%s at guest-physical address 0x%x".formatted(new BarSize(bar.bar(), bar.bytes()), gpa);
  }
}
