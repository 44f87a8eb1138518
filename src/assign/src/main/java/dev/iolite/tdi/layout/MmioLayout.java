package dev.iolite.tdi.layout;

import dev.iolite.kernel.Page;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which bytes of a device's memory BARs are private and which are shared. What a device reports is
 * private, unless it is reported as non-TEE memory; what it does not report is shared.
 *
 * @param bars the memory BARs, by index ascending
 * @param pageBytes the host's page size, at which all runs start and end, except where the BAR ends
 */
public record MmioLayout(List<BarLayout> bars, long pageBytes) {
  /**
   * Copies and checks.
   *
   * @throws IllegalArgumentException if the BARs do not ascend, or the page size is not a power of
   *     two of at least 4096
   */
  public MmioLayout {
    bars = List.copyOf(bars);
    for (int i = 1; i < bars.size(); i++) {
      if (bars.get(i - 1).bar() >= bars.get(i).bar()) {
        throw new IllegalArgumentException(
            "BAR %d after BAR %d".formatted(bars.get(i).bar(), bars.get(i - 1).bar()));
      }
    }
    requirePageSize(pageBytes);
  }

  /**
   * All BARs shared, as they are before a bind.
   *
   * @param sizes the device's memory BARs, in any order
   * @param pageBytes the host's page size
   */
  public static MmioLayout allShared(List<BarSize> sizes, long pageBytes) {
    return new MmioLayout(sorted(sizes).stream().map(BarLayout::shared).toList(), pageBytes);
  }

  /**
   * The layout that a device reports. Ranges that are in no BAR are left out.
   *
   * @param report the report
   * @param sizes the device's memory BARs, in any order
   * @param pageBytes the host's page size
   * @param scheme how the platform places ranges in their BARs
   * @throws MalformedReportException if the report does not fit the BARs
   * @throws dev.iolite.kernel.PreconditionException if a page would hold both kinds
   */
  public static MmioLayout of(
      InterfaceReport report, List<BarSize> sizes, long pageBytes, RangeScheme scheme) {
    requirePageSize(pageBytes);
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    List<BarSize> bars = sorted(sizes);
    Map<Integer, Long> starts = new TreeMap<>();
    for (int i = 0; i < report.ranges().size(); i++) {
      ReportedRange range = report.ranges().get(i);
      if (!range.isInBar()) {
        continue;
      }
      long at = InterfaceReport.offsetOfRange(i);
      BarSize size = memoryBar(range, bars, at);
      long pages = size.bytes() / Page.BYTES;
      starts.computeIfAbsent(range.id(), _ -> scheme.barStart(range.firstPage(), pages));
      long page = range.firstPage() - starts.get(range.id());
      if (page + range.pages() > pages) {
        throw new MalformedReportException(
            at,
            "%d pages from page 0x%x, with BAR %d from page 0x%x (%s ranges)"
                .formatted(
                    range.pages(), range.firstPage(), range.id(), starts.get(range.id()), scheme),
            "ranges lie in their BAR, and %s has 0x%x pages".formatted(size, pages));
      }
      if (range.kind() == Kind.PRIVATE) {
        ranges
            .computeIfAbsent(range.id(), _ -> new ArrayList<>())
            .add(new ByteRange(page * Page.BYTES, range.bytes()));
      }
    }
    return ofPrivate(bars, ranges, pageBytes);
  }

  private static BarSize memoryBar(ReportedRange range, List<BarSize> sizes, long at) {
    return sizes.stream()
        .filter(size -> size.bar() == range.id())
        .findFirst()
        .orElseThrow(() ->
            new MalformedReportException(
                at,
                "a range of BAR " + range.id(),
                "the device's memory BARs are "
                    + String.join(", ", sizes.stream().map(BarSize::toString).toList())));
  }

  /**
   * The layout that results from what the kernel says is private; the rest is shared.
   *
   * @param sizes the device's memory BARs, in any order
   * @param ranges the private ranges of each BAR, ascending and disjoint; a BAR without any may be
   *     left out
   * @param pageBytes the host's page size
   * @throws MalformedLayoutException if a range is empty, out of order or overlapping, or lies in
   *     no BAR
   * @throws dev.iolite.kernel.PreconditionException if a page would hold both kinds
   */
  public static MmioLayout ofPrivate(
      List<BarSize> sizes, Map<Integer, List<ByteRange>> ranges, long pageBytes) {
    requirePageSize(pageBytes);
    List<BarSize> bars = sorted(sizes);
    for (int bar : ranges.keySet()) {
      if (bars.stream().noneMatch(size -> size.bar() == bar)) {
        throw new MalformedLayoutException(
            "private ranges of BAR %d, which is none".formatted(bar));
      }
    }
    return new MmioLayout(
        bars.stream()
            .map(size ->
                BarLayout.withPrivate(size, ranges.getOrDefault(size.bar(), List.of()), pageBytes))
            .toList(),
        pageBytes);
  }

  private static List<BarSize> sorted(List<BarSize> sizes) {
    return sizes.stream().sorted(Comparator.comparingInt(BarSize::bar)).toList();
  }

  private static void requirePageSize(long pageBytes) {
    if (pageBytes < Page.BYTES || Long.bitCount(pageBytes) != 1) {
      throw new IllegalArgumentException(
          "a page size is a power of two from %d on, not %d".formatted(Page.BYTES, pageBytes));
    }
  }

  /** The layout of a BAR; empty if the device has no such memory BAR. */
  public Optional<BarLayout> bar(int bar) {
    return bars.stream().filter(layout -> layout.bar() == bar).findFirst();
  }

  /** Whether any of it is private. */
  public boolean hasPrivate() {
    return bars.stream().anyMatch(bar -> bar.has(Kind.PRIVATE));
  }

  /** The number of runs in all BARs. */
  public int runCount() {
    return bars.stream().mapToInt(BarLayout::runCount).sum();
  }
}
