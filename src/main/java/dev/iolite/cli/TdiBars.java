package dev.iolite.cli;

import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.ByteSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.ReportedRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a report does not say: how large the BARs are, and the pages of the host. */
final class TdiBars {
  /** A BAR has fewer than 2^63 bytes; what is reported beyond that is refused as not in it. */
  private static final long MOST_PAGES = 1L << 50;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--bar",
      paramLabel = "N=SIZE",
      description = {
        "how large BAR N is, such as 2=16G; a report does not say it",
        "(default: the smallest power of two that holds what is reported of the BAR)"
      })
  private Map<Integer, String> sizes = new TreeMap<>();

  @Option(
      names = "--page-size",
      paramLabel = "SIZE",
      description = "the host's page size (default: ${DEFAULT-VALUE})",
      defaultValue = "4K")
  private String pageSize;

  /** The layout of a report. */
  MmioLayout layout(InterfaceReport report) {
    long pageBytes = bytes("--page-size", pageSize);
    if (pageBytes < MmioLayout.PAGE || Long.bitCount(pageBytes) != 1) {
      throw usage("--page-size is a power of two, 4K or more, not " + pageSize);
    }
    return MmioLayout.of(report, sizes(report), pageBytes);
  }

  /** Whether a size or the page size was given. */
  boolean areGiven() {
    return !sizes.isEmpty() || spec.commandLine().getParseResult().hasMatchedOption("--page-size");
  }

  private List<BarSize> sizes(InterfaceReport report) {
    Map<Integer, Long> first = new TreeMap<>();
    Map<Integer, Long> bytes = new TreeMap<>();
    for (ReportedRange range : report.ranges()) {
      first.putIfAbsent(range.bar(), range.firstPage());
      long pages = range.endPage() - first.get(range.bar());
      long rounded = Math.max(1, Long.highestOneBit(pages - 1) << 1);
      bytes.put(range.bar(), Math.min(rounded, MOST_PAGES) * ReportedRange.PAGE);
    }
    sizes.forEach((bar, text) -> bytes.put(bar, bytes("--bar", text)));
    List<BarSize> bars = new ArrayList<>();
    bytes.forEach((bar, size) -> {
      try {
        bars.add(new BarSize(bar, size));
      } catch (IllegalArgumentException e) {
        throw usage("--bar %d=%s: %s".formatted(bar, sizes.get(bar), e.getMessage()));
      }
    });
    return bars;
  }

  private long bytes(String option, String text) {
    try {
      return ByteSize.parse(text);
    } catch (IllegalArgumentException e) {
      throw usage(option + ": " + e.getMessage());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
