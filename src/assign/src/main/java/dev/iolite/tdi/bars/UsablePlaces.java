package dev.iolite.tdi.bars;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.IovaRanges;
import dev.iolite.kernel.Page;
import dev.iolite.vfio.PciRegion;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Finds the BARs that are at usable addresses in the guest. The guest may write any address: all
 * ones, to see a BAR's size; a 64-bit address in two halves; an address of its RAM. A BAR at such
 * an address is not mapped until the guest has moved it.
 */
final class UsablePlaces {
  private UsablePlaces() {}

  /**
   * The BARs that can be mapped.
   *
   * @param places where each BAR is, by its index
   * @param sizes how long each is, in bytes
   * @param ramBytes the length of the guest's RAM, which starts at 0
   * @param iovas where the IOAS can map
   * @param remark receives a remark on each BAR that is left out
   */
  static Map<Integer, Long> of(
      Map<Integer, Long> places,
      Map<Integer, Long> sizes,
      long ramBytes,
      IovaRanges iovas,
      Consumer<String> remark) {
    Map<Integer, IovaRange> usable = new LinkedHashMap<>();
    places.forEach((bar, gpa) -> {
      long bytes = sizes.getOrDefault(bar, 0L);
      String why = why(usable, gpa, bytes, ramBytes, iovas);
      if (bytes < Page.BYTES) {
        remark.accept(
            "%s is not mapped: with 0x%x bytes it is smaller than a page."
                .formatted(PciRegion.nameOf(bar), bytes));
      } else if (why.isEmpty()) {
        usable.put(bar, IovaRange.of(gpa, bytes));
      } else {
        remark.accept(
            "%s is not mapped at 0x%x, 0x%x bytes: %s. The guest can move it."
                .formatted(PciRegion.nameOf(bar), gpa, bytes, why));
      }
    });
    Map<Integer, Long> found = new LinkedHashMap<>();
    usable.forEach((bar, _) -> found.put(bar, places.get(bar)));
    return found;
  }

  /** Why a place cannot be used; nothing if it can. */
  private static String why(
      Map<Integer, IovaRange> taken, long gpa, long bytes, long ramBytes, IovaRanges iovas) {
    if (Long.compareUnsigned(gpa + bytes - 1, gpa) < 0) {
      return "it would end beyond the 64 bits of an address";
    }
    if (Long.compareUnsigned(gpa, ramBytes) < 0) {
      return "the guest has RAM there";
    }
    if (!iovas.allows(IovaRange.of(gpa, bytes))) {
      return "the IOAS can't be mapped there";
    }
    return taken.entrySet().stream()
        .filter(other -> other.getValue().overlaps(IovaRange.of(gpa, bytes)))
        .map(other -> PciRegion.nameOf(other.getKey()) + " is there")
        .findFirst()
        .orElse("");
  }
}
