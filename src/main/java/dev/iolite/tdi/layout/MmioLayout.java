package dev.iolite.tdi.layout;

import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which bytes of a device's memory BARs are private and which are shared. The MSI-X table and PBA
 * and all non-TEE ranges are shared, what else a device reports is private, and what it does not
 * report is shared.
 *
 * @param bars the memory BARs, by index ascending
 * @param pageBytes the host's page size, at which all runs start and end, except where the BAR ends
 */
public record MmioLayout(List<BarLayout> bars, long pageBytes) {
  /** The page size of most hosts, in bytes. */
  public static final long PAGE = 4096;

  /**
   * Copies and checks.
   *
   * @throws IllegalArgumentException if the BARs do not ascend, or the page size is no power of two
   *     from 4096 on
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
   * What a device reports. The first range of each BAR is taken as the BAR's start, as Linux does,
   * since a report has addresses to which an offset was added that only its reader's host knows.
   *
   * @param report the report
   * @param sizes the device's memory BARs, in any order
   * @param pageBytes the host's page size
   * @throws MalformedReportException if the report does not fit the BARs
   * @throws dev.iolite.kernel.PreconditionException if a page would hold both kinds
   */
  public static MmioLayout of(InterfaceReport report, List<BarSize> sizes, long pageBytes) {
    return of(report, sizes, pageBytes, Map.of());
  }

  /**
   * As {@link #of(InterfaceReport, List, long)}, with BARs whose addresses in the report are known:
   * their offsets are exact, even if a BAR's start is not reported.
   *
   * @param firstPages where BARs start in the report's numbering of pages, by index: their address
   *     and the reporting offset, divided by 4096
   */
  public static MmioLayout of(
      InterfaceReport report, List<BarSize> sizes, long pageBytes, Map<Integer, Long> firstPages) {
    requirePageSize(pageBytes);
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    List<BarSize> bars = sorted(sizes);
    Map<Integer, Long> starts = new TreeMap<>(firstPages);
    for (int i = 0; i < report.ranges().size(); i++) {
      ReportedRange range = report.ranges().get(i);
      long at = InterfaceReport.offsetOfRange(i);
      BarSize size = memoryBar(range, bars, at);
      starts.putIfAbsent(range.bar(), range.firstPage());
      long page = range.firstPage() - starts.get(range.bar());
      if (page < 0 || page + range.pages() > size.bytes() / ReportedRange.PAGE) {
        throw new MalformedReportException(
            at,
            "%d pages from page 0x%x, with BAR %d at page 0x%x"
                .formatted(range.pages(), range.firstPage(), range.bar(), starts.get(range.bar())),
            "ranges lie in their BAR, and %s has 0x%x pages"
                .formatted(size, size.bytes() / ReportedRange.PAGE));
      }
      if (range.kind() == Kind.PRIVATE) {
        ranges
            .computeIfAbsent(range.bar(), _ -> new ArrayList<>())
            .add(new ByteRange(page * ReportedRange.PAGE, range.bytes()));
      }
    }
    return ofPrivate(bars, ranges, pageBytes);
  }

  private static BarSize memoryBar(ReportedRange range, List<BarSize> sizes, long at) {
    return sizes.stream()
        .filter(size -> size.bar() == range.bar())
        .findFirst()
        .orElseThrow(() ->
            new MalformedReportException(
                at,
                "a range of BAR " + range.bar(),
                "the device's memory BARs are "
                    + String.join(", ", sizes.stream().map(BarSize::toString).toList())));
  }

  /**
   * What the kernel says is private; the rest is shared.
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
    if (pageBytes < PAGE || Long.bitCount(pageBytes) != 1) {
      throw new IllegalArgumentException(
          "a page size is a power of two from %d on, not %d".formatted(PAGE, pageBytes));
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

  /** How many runs all BARs have. */
  public int runCount() {
    return bars.stream().mapToInt(BarLayout::runCount).sum();
  }
}
