package dev.iolite.cli;

import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.MalformedReportException;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.RangeScheme;
import dev.iolite.tdi.layout.ReportedRange;
import dev.iolite.tsm.Arch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options for what a report does not say: the sizes of the BARs and of the host's pages. */
final class TdiBars {
  /**
   * A BAR has fewer than 2^63 bytes; a reported range beyond that is refused because it is outside
   * the BAR.
   */
  private static final long MOST_PAGES = 1L << 50;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--bar",
      paramLabel = "N=SIZE",
      description = {
        "the size of BAR N, such as 2=16G; a report does not contain it",
        "(default: the smallest power of two that holds what is reported of the BAR)"
      })
  private Map<Integer, String> sizes = new TreeMap<>();

  @Option(
      names = "--platform",
      paramLabel = "NAME",
      description =
          "the platform of the device's host, tdx, sev or cca: how it places ranges, and what its"
              + " firmware refuses")
  private Optional<Arch> platform = Optional.empty();

  @Option(
      names = "--ranges",
      paramLabel = "SCHEME",
      description = {
        "how the platform places reported ranges in their BARs: aligned (by their address modulo"
            + " the BAR's size: SEV-TIO), relative (the first one is the BAR's start: TDX)",
        "(default: the platform's; without one, aligned, unless only relative fits; a guess is"
            + " reported as one)"
      })
  private Optional<RangeScheme> scheme = Optional.empty();

  @Option(
      names = "--page-size",
      paramLabel = "SIZE",
      description = "the host's page size (default: ${DEFAULT-VALUE})",
      defaultValue = "4K")
  private String pageSize;

  /**
   * Where a report's ranges are in the BARs.
   *
   * @param scheme the scheme by which they were placed
   * @param doubt what to say about the scheme if it was guessed
   */
  record Placed(MmioLayout layout, RangeScheme scheme, Optional<String> doubt) {}

  /** Why the platform's firmware does not accept an interface with such a report. */
  List<String> refusals(InterfaceReport report) {
    return platform.equals(Optional.of(Arch.TDX)) ? report.tdxRefusals() : List.of();
  }

  /** Places a report's ranges; if nothing says how, aligned unless only relative fits. */
  Placed place(InterfaceReport report) {
    Optional<RangeScheme> told = scheme.or(() -> platform.map(RangeScheme::of));
    if (told.isPresent()) {
      return new Placed(layout(report, told.get()), told.get(), Optional.empty());
    }
    Optional<MmioLayout> relative = ifFits(report);
    MmioLayout aligned;
    try {
      aligned = layout(report, RangeScheme.ALIGNED);
    } catch (MalformedReportException e) {
      return new Placed(
          relative.orElseThrow(() -> e),
          RangeScheme.RELATIVE,
          Optional.of(
              "The reported addresses do not fit BARs that are aligned to their size, so the first"
                  + " range is taken for its BAR's start, as on TDX. That is a guess."));
    }
    Optional<String> doubt =
        relative.equals(Optional.of(aligned))
            ? Optional.empty()
            : Optional.of(
                "That ranges are placed by their address modulo the BAR's size is a guess, and"
                    + " right for SEV-TIO. On TDX the first range is the BAR's start: --ranges"
                    + " relative.");
    return new Placed(aligned, RangeScheme.ALIGNED, doubt);
  }

  private Optional<MmioLayout> ifFits(InterfaceReport report) {
    try {
      return Optional.of(layout(report, RangeScheme.RELATIVE));
    } catch (MalformedReportException _) {
      return Optional.empty();
    }
  }

  private MmioLayout layout(InterfaceReport report, RangeScheme chosen) {
    long pageBytes = bytes("--page-size", pageSize);
    if (pageBytes < Page.BYTES || Long.bitCount(pageBytes) != 1) {
      throw usage("--page-size is a power of two, 4K or more, not " + pageSize);
    }
    return MmioLayout.of(report, sizes(report, chosen), pageBytes, chosen);
  }

  /** Whether anything was given. */
  boolean areGiven() {
    return !sizes.isEmpty()
        || scheme.isPresent()
        || platform.isPresent()
        || spec.commandLine().getParseResult().hasMatchedOption("--page-size");
  }

  private List<BarSize> sizes(InterfaceReport report, RangeScheme chosen) {
    Map<Integer, Long> first = new TreeMap<>();
    Map<Integer, Long> bytes = new TreeMap<>();
    for (ReportedRange range : report.ranges()) {
      if (range.isInBar()) {
        first.putIfAbsent(range.id(), range.firstPage());
        long start = first.get(range.id());
        long last = range.endPage() - 1;
        long differing = chosen == RangeScheme.ALIGNED ? last ^ start : last - start;
        long rounded = Math.max(1, Long.highestOneBit(differing) << 1);
        bytes.put(range.id(), Math.min(rounded, MOST_PAGES) * Page.BYTES);
      }
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
