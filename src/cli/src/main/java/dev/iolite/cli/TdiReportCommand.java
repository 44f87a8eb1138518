package dev.iolite.cli;

import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.MmioLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code iolite tdi report FILE}: reads and draws a device interface report. */
@Command(
    name = "report",
    description = {
      "Shows a device interface report (TDISP DEVICE_INTERFACE_REPORT), and which parts of the BARs"
          + " are private and which are shared.",
      "Exit code 1 if the report breaks a rule of its format, or the platform's firmware does not"
          + " take such an interface."
    })
final class TdiReportCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "the bytes of the report")
  private Path file;

  @Mixin private final TdiBars bars = new TdiBars();

  @Option(names = "--svg", paramLabel = "FILE", description = "also draw the BARs into this file")
  private Optional<Path> svg = Optional.empty();

  @Override
  public Integer call() {
    InterfaceReport report = TdiFiles.report(file);
    TdiBars.Placed placed = bars.place(report);
    MmioLayout layout = placed.layout();
    List<String> remarks = new ArrayList<>(report.remarks());
    List<String> refusals = bars.refusals(report);
    remarks.addAll(refusals);
    placed.doubt().ifPresent(remarks::add);
    int code = refusals.isEmpty() ? ExitCode.OK : ExitCode.CHECK_FAILED;
    svg.ifPresent(
        to -> TdiFiles.writeSvg(to, layout, "Device interface report " + file.getFileName()));
    Output output = output();
    if (output.isJson()) {
      output.json(
          Json.object(
              "file", file.toString(),
              "report", report,
              "ranges", placed.scheme().toString(),
              "layout", layout,
              "remarks", remarks));
      return code;
    }
    output.properties(
        "report", file.toString(),
        "interface", words(report.flags()),
        "MSI-X control", "0x%04x".formatted(report.msixControl()),
        "LNR control", "0x%04x".formatted(report.lnrControl()),
        "TPH control", "0x%08x".formatted(report.tphControl()),
        "device-specific", deviceSpecific(report),
        "ranges", placed.scheme().toString(),
        "BARs",
            layout.bars().stream()
                .map(bar -> new BarSize(bar.bar(), bar.bytes()).toString())
                .collect(Collectors.joining(", ")));
    if (!report.ranges().isEmpty()) {
      output.line("");
      output.table(
          List.of("ID", "FIRST PAGE", "PAGES", "KIND", "ATTRIBUTES"),
          report.ranges().stream()
              .map(r ->
                  List.of(
                      r.isInBar() ? "BAR " + r.id() : r.id() + ", in no BAR",
                      "0x" + Long.toHexString(r.firstPage()),
                      "" + r.pages(),
                      r.kind().toString(),
                      words(r.attributes())))
              .toList());
    }
    output.line("");
    output.picture(layout);
    output.notes(remarks);
    return code;
  }

  private static String words(Collection<? extends Enum<?>> values) {
    return values.isEmpty()
        ? "-"
        : values.stream().sorted().map(Object::toString).collect(Collectors.joining(", "));
  }

  private static String deviceSpecific(InterfaceReport report) {
    return report
        .deviceSpecific()
        .map(own ->
            own.byteSize() == 0
                ? "0 bytes"
                : "%d bytes: %s"
                    .formatted(
                        own.byteSize(),
                        HexFormat.of().formatHex(own.toArray(ValueLayout.JAVA_BYTE))))
        .orElse("none");
  }
}
